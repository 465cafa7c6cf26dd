"""Inputs of tasks and steps: their sources, conversion and checks.

    <input name="n" type="int" mandatory="true" defaultValue="3" value="${count}"/>
    <input name="n"><source>count + 1</source></input>

Rules: the value is evaluated, replaced by the default if it is null, converted, checked for ``mandatory``, and checked
by ``<schema>``, in this order. All problems of one step's inputs are reported together. A step's inputs are evaluated
once, in the order of the file, in its parent's scope (with ``fromTaskScope``, in the task's scope).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from taskrun.core.fields import Text
from taskrun.core.scope import Scope
from taskrun.core.types import SchemaCheck, Type
from taskrun.errors import InputError, near_hint
from taskrun.script.script import Script, Template, UnknownVariableError
from taskrun.syntax.node import Node

CONTAINERS = (str, bytes, list, tuple, set, frozenset, Mapping)


@dataclass(frozen=True, kw_only=True)
class Input:
    """A declared input of a task or step. Not slotted, because its cached properties need a ``__dict__``."""

    node: Node = field(repr=False, compare=False)
    name: str
    display_name: str | None = None
    description: Text | None = None
    type: Type | None = None
    mandatory: bool = False
    optional: bool = False
    default_value: Template | None = None
    value: Template | None = None
    source: Script | None = None
    from_task_scope: bool = False
    persist: bool = True
    dump: bool = False
    schema: SchemaCheck | None = None

    @cached_property
    def plain(self) -> bool:
        """Whether the value is used unchanged, without default, conversion and checks."""
        return not (
            self.type
            or self.mandatory
            or self.optional
            or self.default_value
            or self.dump
            or self.schema
            or self.from_task_scope
        )

    @cached_property
    def read(self) -> Callable[[Scope], Any]:
        """The function that evaluates the value in a scope.

        It raises UnknownVariableError if an input without value and source has no variable of its name.
        """
        script = self.source or self.value
        if script is None:
            return itemgetter(self.name)
        run = script.run
        if script.stores:  # the script must not assign variables of its parent's scope
            return lambda scope: run(Scope(scope))
        return run

    @property
    def by_name(self) -> bool:
        """Whether the value is the variable of the input's name: the input has neither value nor source."""
        return self.source is None and self.value is None

    def describe(self, path: str = "") -> str:
        """Return name, type and description of the input for a message, with the path of the step that requests it."""
        text = f"input '{self.name}'"
        if self.type:
            text += f" ({self.type.name})"
        if path:
            text += f" of {path}"
        return f"{text}, {self.description.strip()}" if self.description else text

    def resolve(self, value: Any, scope: Scope) -> Any:
        """Return the value after default, conversion and checks; raise ValueError with the problem if it is wrong."""
        if value is None and self.default_value is not None:
            value = self.default_value.run(scope)
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        """Return the value after conversion and checks; raise ValueError with the problem if it is wrong."""
        if value is not None and self.type is not None:
            value = self.type.convert(value)
        if self.mandatory and (value is None or (isinstance(value, CONTAINERS) and not value)):
            raise ValueError("is mandatory and " + ("missing" if value is None else "empty"))
        if self.schema is not None and value is not None:
            self.schema.check(value)
        return value


def unknown_variable(name: str, names: Iterable[str]) -> str:
    """Return the message for an input whose variable does not exist, with the most similar of ``names``."""
    hint = near_hint(name, {known for known in names if not known.startswith("_")})
    return f"unknown variable '{name}'" + (f"; {hint}" if hint else "")


def bind_inputs(inputs: tuple[Input, ...], outer: Scope, task: Scope, lenient: bool) -> dict[str, Any]:
    """Return the values of a step's inputs, or raise InputError with all problems.

    Parameters: ``outer`` is the parent's scope, ``task`` the task's; ``lenient`` makes an unknown variable null instead
    of a problem. An exception of a script is raised at once.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in inputs:
        scope = task if item.from_task_scope else outer
        try:
            value = item.read(scope)
        except UnknownVariableError:
            if not item.by_name:
                raise
            value = None
            if not (lenient or item.optional or item.default_value is not None):
                problems.append(f"{item.describe()}: {unknown_variable(item.name, scope.names())}")
                continue
        try:
            values[item.name] = item.resolve(value, scope)
        except ValueError as error:
            problems.append(f"{item.describe()}: {error}")
    if problems:
        raise InputError(problems)
    return values


def resolve_inputs(inputs: tuple[Input, ...], given: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """Return the values of inputs after default, conversion and checks, or raise InputError with all problems.

    Parameters: ``given`` are the values by name, ``scope`` is for the evaluation of defaults.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in inputs:
        try:
            values[item.name] = item.resolve(given.get(item.name), scope)
        except ValueError as error:
            problems.append(f"{item.describe()}: {error}")
    if problems:
        raise InputError(problems)
    return values


def bind_task_inputs(inputs: tuple[Input, ...], given: Mapping[str, Any], scope: Scope) -> None:
    """Set the inputs of a run in the task's scope, or raise InputError with all problems.

    A given input that is not declared is a problem, unless the task declares none. An input that is not given is
    evaluated from its value or source.
    """
    declared = {item.name for item in inputs}
    problems = []
    if declared:
        for name in given:
            if name not in declared:
                hint = near_hint(name, declared) or "the task has: " + ", ".join(sorted(declared))
                problems.append(f"unknown input '{name}'; {hint}")
    scope.update(given)
    for item in inputs:
        value = given.get(item.name)
        try:
            if value is None and not item.by_name:
                value = item.read(scope)
            scope[item.name] = item.resolve(value, scope)
        except ValueError as error:
            problems.append(f"{item.describe()}: {error}")
    if problems:
        raise InputError(problems)
