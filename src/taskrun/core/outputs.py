"""Outputs: what a step or a task hands to its caller.

    <output name="total" exportAs="sum" toTaskScope="true"><source>RESULT * 2</source></output>

Rules: an output with ``source`` or ``value`` is evaluated in the step's own scope. One without takes, in this order:
what the body returned under that name (with steps inside: if no variable of its own scope has it); the variable of that name that the body set in its own scope; the item of that
name of a mapping that the body returned (of a tuple, the item in the same position); for a step without steps inside,
the body's value itself when it is the only such output; a variable that can be read; null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taskrun.core.completion import RESULT
from taskrun.core.fields import Text
from taskrun.core.scope import Scope
from taskrun.core.types import SchemaCheck, Type
from taskrun.script.script import Script, Template
from taskrun.syntax.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A declared output."""

    node: Node = field(repr=False, compare=False)
    name: str
    display_name: str | None = None
    description: Text | None = None
    type: Type | None = None
    value: Template | None = None
    source: Script | None = None
    to_task_scope: bool = False
    export_as: str | None = None
    persist: bool | None = None
    dump: bool = False
    schema: SchemaCheck | None = None

    @property
    def by_name(self) -> bool:
        """Whether the output has no expression of its own."""
        return self.source is None and self.value is None

    @property
    def untouched(self) -> bool:
        """Whether the value is passed on as it is."""
        return self.by_name and self.type is None and self.schema is None

    @property
    def variable(self) -> str:
        """The name of the variable that receives the output."""
        return self.export_as or self.name

    def convert(self, value: Any) -> Any:
        """Return the value after conversion and check; raises ValueError naming the output."""
        if value is None:
            return None
        try:
            if self.type is not None:
                value = self.type.convert(value)
            if self.schema is not None:
                self.schema.check(value)
        except ValueError as error:
            raise ValueError(f"output '{self.name}': {error}") from None
        return value


def unrecorded(outputs: tuple[Output, ...]) -> frozenset[str]:
    """Return the names of the outputs that say ``persist="false"``, and RESULT with them unless it is declared."""
    names = {item.name for item in outputs if item.persist is False}
    if names and all(item.name != RESULT for item in outputs):
        names.add(RESULT)
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class OutputLookup:
    """How the outputs without an expression find their values.

    ``names`` are their names but for RESULT; ``set_by_body`` are the variables that the body may set, which are not
    just inputs; ``leaf`` tells that there are no steps inside, ``renamed`` are
    outputs of steps inside that leave them under another name or go to the task's scope.
    """

    names: tuple[str, ...]
    set_by_body: frozenset[str]
    leaf: bool
    renamed: frozenset[str] = frozenset()

    def find(self, name: str, returned: Mapping[str, Any], scope: Scope) -> Any:
        """Return the value of the output ``name`` when the body returned these outputs and left this scope."""
        if name in returned and name not in self.renamed and (self.leaf or name not in scope):
            return returned[name]
        if name in scope and (name in self.set_by_body or not self.leaf):
            return scope[name]
        if RESULT in returned:
            value = returned[RESULT]
            if isinstance(value, Mapping):
                if name in value:
                    return value[name]
            elif isinstance(value, tuple) and len(value) == len(self.names) > 1:
                return value[self.names.index(name)]
            if self.leaf and len(self.names) == 1 and name != RESULT:
                return value
        return scope[name] if scope.has(name) else None
