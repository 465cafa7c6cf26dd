"""Prints the lines and branches of ``taskrun/core`` that a coverage report leaves open; ends with 1 when there are any.

python -m pytest --cov=taskrun --cov-branch --cov-report=json:cov.json && python tests/core_coverage.py cov.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "taskrun/core/"


def gaps(report: dict[str, Any]) -> Iterator[str]:
    """Yield a line of text for each line and each branch that was not run."""
    for name, found in sorted(report["files"].items()):
        if FOLDER not in Path(name).as_posix():
            continue
        missing = set(found["missing_lines"])
        yield from (f"{name}:{line}: not run" for line in sorted(missing))
        for start, end in found["missing_branches"]:
            if start not in missing and end not in missing:
                yield f"{name}:{start}: never goes on " + ("to the end" if end < 0 else f"at line {end}")


def main(path: str) -> int:
    """Print the gaps of the report in the file ``path`` and return the exit status; no core in it is an error too."""
    report = json.loads(Path(path).read_text("utf-8"))
    if not any(FOLDER in Path(name).as_posix() for name in report["files"]):
        print(f"{path}: nothing of {FOLDER} was measured", file=sys.stderr)  # noqa: T201
        return 1
    found = list(gaps(report))
    print("\n".join(found) or f"{FOLDER}: every line and branch was run")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
