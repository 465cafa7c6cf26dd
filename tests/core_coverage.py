"""Print the lines and branches of some packages that a coverage report leaves open; exit with 1 if there are any.

python -m pytest --cov=taskrun --cov-branch --cov-report=json:cov.json && python tests/core_coverage.py cov.json core durable
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def gaps(report: dict[str, Any], package: str) -> Iterator[str]:
    """Yield a line of text for each line and each branch of a package that was not run."""
    for name, found in sorted(report["files"].items()):
        if f"taskrun/{package}/" not in Path(name).as_posix():
            continue
        missing = set(found["missing_lines"])
        yield from (f"{name}:{line}: not run" for line in sorted(missing))
        for start, end in found["missing_branches"]:
            if start not in missing and end not in missing:
                yield f"{name}:{start}: never continues " + ("to the end" if end < 0 else f"at line {end}")


def main(path: str, *packages: str) -> int:
    """Print the gaps of the report in the file ``path`` and return the exit status; a package without files is an error."""
    report = json.loads(Path(path).read_text("utf-8"))
    status = 0
    for package in packages:
        if not any(f"taskrun/{package}/" in Path(name).as_posix() for name in report["files"]):
            print(f"{path}: nothing of taskrun/{package} was measured", file=sys.stderr)  # noqa: T201
            status = 1
        found = list(gaps(report, package))
        print("\n".join(found) or f"taskrun/{package}: every line and branch was run")  # noqa: T201
        status = status or bool(found)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
