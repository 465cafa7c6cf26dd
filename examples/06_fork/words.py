"""Functions that the flow calls in worker threads."""

from __future__ import annotations

from pathlib import Path


def find(folder: str) -> list[str]:
    """Return the Markdown files in a folder and its subfolders."""
    return sorted(str(path) for path in Path(folder).rglob("*.md"))


def count(file: str) -> int:
    """Return the number of words in a file."""
    return len(Path(file).read_text(encoding="utf-8").split())
