"""The operators of ``x:override``, and what two of them together mean.

    <step name="pay" x:override="replace">…</step>

Rules: without the attribute an element that holds text or a script is ``merge-replace`` and every other is ``merge``.
After two layers are merged the result carries the operator of both, so that deltas can be merged before they meet a
base: merging layer by layer and merging their sum come to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from taskrun.syntax.node import Node

REMOVE, REPLACE, APPEND, PREPEND = "remove", "replace", "append", "prepend"
MERGE, MERGE_SUPER, MERGE_REPLACE, BOUNDED_MERGE = "merge", "merge-super", "merge-replace", "bounded-merge"
OPERATORS = (REMOVE, REPLACE, APPEND, PREPEND, MERGE, MERGE_SUPER, MERGE_REPLACE, BOUNDED_MERGE)

SECTIONS = frozenset({"x:config", "x:pre-parse", "x:post-parse", "x:gen-extends", "x:post-extends"})
"""Parts of a file that say how it is put together; those of base and delta are joined."""

TEXT_ONLY = frozenset({"description", "schema", "example", "exception-filter"})

_ROWS = """
remove         remove replace replace     replace     replace       replace     replace       replace
replace        remove replace replace     replace     replace       replace     replace       replace
append         remove replace append      merge-super -             merge-super merge-replace -
prepend        remove replace merge-super prepend     -             merge-super merge-replace -
merge          remove replace replace     replace     merge         -           merge-replace bounded-merge
merge-super    remove replace merge-super merge-super -             merge-super merge-replace -
merge-replace  remove replace merge-replace merge-replace merge-replace merge-replace merge-replace bounded-merge
bounded-merge  remove replace replace     replace     bounded-merge -           merge-replace bounded-merge
"""

COMBINED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (row.split()[0], column): result
        for row in _ROWS.strip().splitlines()
        for column, result in zip(OPERATORS, row.split()[1:], strict=True)
        if result != "-"
    }
)
"""The operator of a layer and of the one over it → that of both together; what is missing is not allowed."""


def default_operator(node: Node, opaque: frozenset[str]) -> str:
    """Return the operator of an element that says none; ``opaque`` are the tags that hold scripts."""
    if node.tag in SECTIONS:
        return APPEND
    return MERGE_REPLACE if node.tag in opaque or node.tag in TEXT_ONLY else MERGE


def operator_of(node: Node, opaque: frozenset[str]) -> str:
    """Return the operator of an element."""
    return node.attributes.get("x:override") or default_operator(node, opaque)
