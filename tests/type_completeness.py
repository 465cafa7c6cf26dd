"""Verify that every public name of taskrun has a complete type; exit with 1 otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the type checker over the public names, print what is incomplete, and return the exit status."""
    command = [sys.executable, "-m", "basedpyright", "--verifytypes", "taskrun", "--ignoreexternal", "--outputjson"]
    folder = str(Path(sys.executable).parent)  # the type checker looks for taskrun where the first python on PATH is
    environment = {**os.environ, "PATH": os.pathsep.join((folder, os.environ["PATH"]))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    report = json.loads(done.stdout)["typeCompleteness"]
    incomplete = [
        (symbol["name"], diagnostic["message"])
        for symbol in report["symbols"]
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
        for diagnostic in symbol["diagnostics"]
    ]
    for name, message in incomplete:
        print(f"{name}: {message}")  # noqa: T201
    score = report["completenessScore"]
    print(f"type completeness of the public names: {score:.1%}")  # noqa: T201
    return int(score < 1)


if __name__ == "__main__":
    sys.exit(main())
