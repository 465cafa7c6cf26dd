"""Hooks of the documentation site: links to files of the repository that are not pages become plain text."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+((?:examples|schemas|lib|tests|src)[^)]*)\)")


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Return the text of a page with links to other folders of the repository replaced by the name of the file."""
    return _OUTSIDE.sub(r"\1 (`\2` in the repository)", markdown)
