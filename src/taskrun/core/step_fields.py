"""Which fields of a step or decorator class may hold scripts, and which may hold steps: what the generic passes walk over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from taskrun.core.body import Body

if TYPE_CHECKING:
    from taskrun.core.step import Decorator, Step
    from taskrun.script.script import Script


def remember_fields(cls: Any, common: frozenset[str]) -> None:
    """Note which fields may hold scripts and which may hold steps, so that the passes need not look at the others."""
    own = [item for item in fields(cls) if item.name not in common]
    words = {item.name: set(_WORD.findall(str(item.type))) for item in own}
    cls.script_fields = tuple(name for name, found in words.items() if found & _SCRIPTS)
    cls.child_fields = tuple(name for name, found in words.items() if found - _NO_STEPS)


def steps_in(value: object) -> Iterator[Any]:
    """Yield the steps that the value of a field holds."""
    if hasattr(value, "may_suspend") and not isinstance(value, Body):
        yield value
    elif type(value) is tuple:
        for item in value:
            if hasattr(item, "may_suspend"):
                yield item
    elif isinstance(value, Body):
        yield from value.steps


def scripts_of(value: Step | Decorator) -> Iterator[Script]:
    """Yield the scripts that the fields of a step or decorator hold."""
    for name in value.script_fields:
        item = getattr(value, name)
        found = getattr(item, "script", item)  # a duration may hold one
        if hasattr(found, "reads"):
            yield found


_WORD = re.compile(r"\w+")
_SCRIPTS = frozenset({"Script", "AwaitingScript", "Code", "Expr", "Own", "Template", "Millis"})
_NO_STEPS = _SCRIPTS | {
    "str", "int", "float", "bool", "None", "frozenset", "tuple", "Annotated", "Expression", "OwnText", "OnStep", "Prefixed",
    "Mapping", "Text", "Type", "Node", "SchemaCheck", "ClassVar",
}  # fmt: skip
