"""What the flow calls: plain functions, run in worker threads."""

from __future__ import annotations

from pathlib import Path


def find(folder: str) -> list[str]:
    """Return the Markdown files below a folder."""
    return sorted(str(path) for path in Path(folder).rglob("*.md"))


def count(file: str) -> int:
    """Return how many words a file has."""
    return len(Path(file).read_text(encoding="utf-8").split())
