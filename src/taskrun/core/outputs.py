"""Outputs of tasks and steps: declaration, conversion, and the lookup of outputs without an expression.

    <output name="total" exportAs="sum" toTaskScope="true"><source>RESULT * 2</source></output>

Rules: an output with ``source`` or ``value`` is evaluated in the step's own scope. For an output without them, the
first of these is used that exists:

1. the value that the body returned by that name (in a container: unless its own scope has a variable of that name);
2. the variable of that name that the body set in its own scope;
3. the item of that name in a mapping that the body returned, or the item at the same position in a tuple;
4. in a leaf, the value that the body returned, if it is the only output without an expression;
5. a readable variable of that name;
6. null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taskrun.core.completion import RESULT
from taskrun.core.fields import Text
from taskrun.core.scope import Scope
from taskrun.script.script import Script, Template
from taskrun.syntax.node import Node
from taskrun.value_types import SchemaCheck, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A declared ``<output>`` of a task or step."""

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
        """Whether the output has neither value nor source.

        Then its value is looked up by its name (``OutputLookup``).
        """
        return self.source is None and self.value is None

    @property
    def untouched(self) -> bool:
        """Whether the value is found by the output's name and returned unchanged: no value, source, type or schema."""
        return self.by_name and self.type is None and self.schema is None

    @property
    def variable(self) -> str:
        """The name of the variable of the caller to which the output is assigned: ``exportAs``, else its own name."""
        return self.export_as or self.name

    def convert(self, value: Any) -> Any:
        """Convert a value to the type of the output, check it by the schema, and return it; None stays None.

        Raises ValueError, whose text begins with the name of the output, if the value is wrong.
        """
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
    """Return the names of the outputs whose values must not be recorded: those with ``persist="false"``.

    If there are any, RESULT is one of them too, because it may contain the same values, unless it is a declared output.
    """
    names = {item.name for item in outputs if item.persist is False}
    if names and all(item.name != RESULT for item in outputs):
        names.add(RESULT)
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class OutputLookup:
    """Finds the values of a step's outputs that have neither value nor source, by the rules of the module docstring.

    ``names`` are the names of these outputs, without RESULT. ``set_by_body`` are the variables that the body may
    assign. ``leaf`` is True for a step without steps inside. ``renamed`` are the names of outputs of inner steps that
    are exported under another name or to the task's scope.
    """

    names: tuple[str, ...]
    set_by_body: frozenset[str]
    leaf: bool
    renamed: frozenset[str] = frozenset()

    def find(self, name: str, returned: Mapping[str, Any], scope: Scope) -> Any:
        """Return the value of the output of that name, None if there is none.

        ``returned`` are the outputs that the body returned; ``scope`` is the scope of the step after the body has run.
        """
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
