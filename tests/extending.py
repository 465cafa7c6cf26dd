"""Merged trees for tests: a base, deltas over it, and the result, all as XML text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taskrun import TaskManager
from taskrun.compile.registry import Registry
from taskrun.errors import Diagnostic
from taskrun.syntax.delta.merge import Merger
from taskrun.syntax.delta.prototypes import Cleaner
from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.load import parse
from taskrun.syntax.node import TEXT, Node


def tree(text: str, name: str = "flow.task.xml") -> Node:
    """Parse a text into a tree."""
    return rewrite_short_forms(parse(name, text.encode()))


def shown(node: Node) -> str:
    """Return a tree as text, attributes in the order of their names."""
    if node.tag == TEXT:
        return node.text
    attributes = "".join(f' {name}="{value}"' for name, value in sorted(node.attributes.items()))
    inside = node.text + "".join(map(shown, node.children))
    return f"<{node.tag}{attributes}>{inside}</{node.tag}>" if inside else f"<{node.tag}{attributes}/>"


def opaque() -> frozenset[str]:
    """Return the tags that contain scripts."""
    return Registry().schema.opaque


def layered(base: str, *deltas: str, clean: bool = True) -> tuple[str, list[Diagnostic]]:
    """Return the base with the deltas merged over it one by one, and the problems."""
    merger = Merger(opaque())
    result = tree(base, "base.task.xml")
    for number, delta in enumerate(deltas, 1):
        result = merger.merge(result, tree(delta, f"delta{number}.task.xml"))
    if clean:
        result = Cleaner(merger).clean(result)
    return shown(result), merger.problems


def merged(base: str, *deltas: str) -> str:
    """Return the base with the deltas merged over it; there must be no problem."""
    text, problems = layered(base, *deltas)
    assert not problems, "\n".join(map(str, problems))
    return text


def expanded(path: str | Path, **settings: Any) -> str:
    """Return the merged tree of a file."""
    return shown(TaskManager(**settings).flows.expand(path))


def codes(problems: Any) -> list[tuple[str, str, int, int]]:
    """Return code, file name, line and column of each problem."""
    return [(item.code, Path(item.location.path).name, item.location.line, item.location.column) for item in problems]
