"""Put a file together from what it builds on.

Rules: each file's short forms are rewritten before anything is merged. Files that extend others are not read yet:
every word of that part of the language is refused here, none is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.errors import Diagnostic, ExtendError
from taskrun.syntax.node import Node
from taskrun.syntax.short_forms import rewrite_short_forms

_KNOWN = frozenset({"x:schema", "x:id"})


def extend(root: Node) -> Node:
    """Return the tree of the whole flow, or raise ExtendError for what cannot be put together."""
    text = root.source.text
    problems = list(_refusals(root)) if _may_have(text, "x:", "feature:") else ()
    if problems:
        raise ExtendError(problems)
    return rewrite_short_forms(root) if _may_have(text, "in:", "out:") else root


def _may_have(text: str, *prefixes: str) -> bool:
    """Whether a file may have names with one of these prefixes: to look at its text is much faster than at its tree."""
    return any(prefix in text for prefix in prefixes)


def _refusals(root: Node) -> Iterator[Diagnostic]:
    for node in root.walk():
        if node.tag.startswith(("x:", "feature:")):
            yield _refuse(node, node.tag, None)
        for name in node.attributes:
            if name.startswith(("x:", "feature:")) and name not in _KNOWN:
                yield _refuse(node, name, name)


def _refuse(node: Node, word: str, attribute: str | None) -> Diagnostic:
    message = f"'{word}' is not supported: a flow that is built from other files or from switches is not read yet"
    return node.problem("not-supported", message, hint="write the whole flow into this file", attribute=attribute)
