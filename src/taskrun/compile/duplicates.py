"""Checks for duplicates: child elements that are allowed once only, and imports and beans of equal names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskrun.errors import Diagnostic
from taskrun.model.binding_plan import BindingPlan
from taskrun.syntax.node import TEXT, Node

_REPEATED = frozenset({"input", "output", "decorator", "import"})


def find_problems(root: Node, steps: Iterable[tuple[Node, BindingPlan]]) -> Iterator[Diagnostic]:
    """Yield an error for each child element, import or bean that exists twice but may exist only once.

    ``root`` is the root element of the flow. ``steps`` are the elements of its steps, each with the binding plan of its
    class.
    """
    yield from _equal_names(root.children, "import", "as")
    beans = root.child("beans")
    if beans is not None:
        yield from _equal_names(beans.children, "bean", "id")
    for node, plan in steps:
        yield from _repeated_children(node, plan)


def _equal_names(nodes: Iterable[Node], tag: str, key: str) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for node in nodes:
        name = node.attributes.get(key) if node.tag == tag else None
        if name in seen:
            yield node.problem("duplicate-name", f"a second <{tag}> with {key}='{name}'", attribute=key)
        elif name is not None:
            seen.add(name)


def _repeated_children(node: Node, plan: BindingPlan) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for child in node.children:
        tag = child.tag
        if tag in seen and tag not in _REPEATED and ":" not in tag and tag != TEXT:
            binding = plan.children.get(tag)
            if binding is None or not binding.repeated:
                yield child.problem("doubled", f"a second <{tag}> in <{node.tag}>; there can be one")
        seen.add(tag)
