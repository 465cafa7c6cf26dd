"""Merge operators, the values of ``x:override``, and the one operator that two of them combine to.

    <step name="pay" x:override="replace">…</step>

Rules: the default is ``merge-replace`` for an element that contains text or a script, ``append`` for a section such as
``<x:config>``, and ``merge`` for all others. If a delta is merged over another delta, the result gets the operator that
has the same effect as both of theirs (``COMBINED``). Merging is thereby associative: deltas may be merged with each
other before they are merged over the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from taskrun.syntax.node import Node

REMOVE, REPLACE, APPEND, PREPEND = "remove", "replace", "append", "prepend"
MERGE, MERGE_SUPER, MERGE_REPLACE, BOUNDED_MERGE = "merge", "merge-super", "merge-replace", "bounded-merge"
OPERATORS = (REMOVE, REPLACE, APPEND, PREPEND, MERGE, MERGE_SUPER, MERGE_REPLACE, BOUNDED_MERGE)

SECTIONS = frozenset({"x:config", "x:pre-parse", "x:post-parse", "x:gen-extends", "x:post-extends"})
"""Elements of a file that control its compilation; those of a delta are appended to those of its base."""

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
"""(operator of the base, operator of the delta) → operator of the result; a missing pair is a conflict."""


def default_operator(node: Node, opaque: frozenset[str]) -> str:
    """Return the merge operator of an element without ``x:override``; ``opaque`` are the tags that contain scripts."""
    if node.tag in SECTIONS:
        return APPEND
    return MERGE_REPLACE if node.tag in opaque or node.tag in TEXT_ONLY else MERGE


def operator_of(node: Node, opaque: frozenset[str]) -> str:
    """Return the merge operator of an element: the value of its ``x:override``, else the default for its tag."""
    return node.attributes.get("x:override") or default_operator(node, opaque)
