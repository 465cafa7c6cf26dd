"""What ``make demo`` shows: a flow that counts the words of this repository's own documentation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "06_fork"
WORDS = ("count_words.task.xml", "--input", "folder=../../docs", "--allow", "words", "-q")


def main() -> int:
    """Show the flow, run it, show its result."""
    print("The flow, examples/06_fork/count_words.task.xml:\n")
    print((FOLDER / "count_words.task.xml").read_text(encoding="utf-8"))
    print("$ taskrun", " ".join(WORDS), flush=True)
    status = subprocess.run([sys.executable, "-m", "taskrun", *WORDS], cwd=FOLDER, check=False).returncode
    print("\nThat is every Markdown file below docs/, four at a time, counted in worker threads.")
    print("What it did step by step: the same command with -v. More flows: examples/README.md.")
    return status


if __name__ == "__main__":
    sys.exit(main())
