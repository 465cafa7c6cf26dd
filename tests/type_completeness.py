"""Verify that every public name of taskrun has a complete type; exit with 1 otherwise."""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> int:
    """Run the type checker over the public names, print what is incomplete, and return the exit status."""
    command = [sys.executable, "-m", "basedpyright", "--verifytypes", "taskrun", "--ignoreexternal", "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)["typeCompleteness"]
    incomplete = [
        (symbol["name"], diagnostic["message"])
        for symbol in report["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
        for diagnostic in symbol["diagnostics"]
    ]
    for name, message in incomplete:
        print(f"{name}: {message}")  # noqa: T201
    score = report["completenessScore"]
    print(f"type completeness of the public names: {score:.1%}")  # noqa: T201
    return int(score < 1)


if __name__ == "__main__":
    sys.exit(main())
