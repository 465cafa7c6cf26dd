"""What may be there once and is there twice: child elements of one tag, imports and beans of one name."""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.compile.binding_plan import Plan
from taskrun.errors import Diagnostic
from taskrun.syntax.node import TEXT, Node

_REPEATED = frozenset({"input", "output", "decorator", "import"})


def duplicate_keys(root: Node) -> Iterator[Diagnostic]:
    """Yield an error for each import, and each bean, whose name is taken by an earlier one."""
    beans = root.child("beans")
    for nodes, key in ((root.children, "as"), (beans.children if beans else (), "id")):
        seen: set[str] = set()
        for node in nodes:
            name = node.attributes.get(key) if node.tag in {"import", "bean"} else None
            if name in seen:
                yield node.problem("duplicate-name", f"a second <{node.tag}> with {key}='{name}'", attribute=key)
            elif name is not None:
                seen.add(name)


def duplicate_children(node: Node, plan: Plan) -> Iterator[Diagnostic]:
    """Yield an error for each child element of a tag that can stand once and has been there."""
    if len(node.children) < 2:  # noqa: PLR2004 - two of a kind
        return
    seen: set[str] = set()
    for child in node.children:
        tag = child.tag
        slot = plan.children.get(tag)
        if tag in seen and not (slot and slot.repeated) and tag not in _REPEATED and ":" not in tag and tag != TEXT:
            yield child.problem("doubled", f"a second <{tag}> in <{node.tag}>; there can be one")
        seen.add(tag)
