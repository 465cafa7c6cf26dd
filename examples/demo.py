"""Demonstration for ``make demo``: run a flow that counts the words of this repository's documentation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "06_fork"
WORDS = ("count_words.task.xml", "--input", "folder=../../docs", "--allow", "words", "-q")


def main() -> int:
    """Print the flow, run it, and return its exit status."""
    print("The flow, examples/06_fork/count_words.task.xml:\n")
    print((FOLDER / "count_words.task.xml").read_text(encoding="utf-8"))
    print("$ taskrun", " ".join(WORDS), flush=True)
    status = subprocess.run([sys.executable, "-m", "taskrun", *WORDS], cwd=FOLDER, check=False).returncode
    print("\nThe flow counted every Markdown file in docs/, four files at a time, in worker threads.")
    print("The same command with -v prints each step. More examples: examples/README.md.")
    return status


if __name__ == "__main__":
    sys.exit(main())
