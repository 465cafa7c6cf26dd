"""Inputs of tasks and steps: their sources, conversion and checks.

    <input name="n" type="int" mandatory="true" defaultValue="3" value="${count}"/>
    <input name="n"><source>count + 1</source></input>

Rules: the value is evaluated, replaced by the default if it is null, converted, checked for ``mandatory``, and checked
by ``<schema>``, in this order. All problems of one step's inputs are reported together. A step's inputs are evaluated
once, in the order of the file. They are evaluated in the scope of the container around the step, or with
``fromTaskScope`` in that of the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from taskrun.core.fields import Text
from taskrun.core.scope import Scope
from taskrun.errors import InputError, near_hint
from taskrun.script.script import Script, Template, UnknownVariableError
from taskrun.syntax.node import Node
from taskrun.value_types import SchemaCheck, Type

CONTAINERS = (str, bytes, list, tuple, set, frozenset, Mapping)


@dataclass(frozen=True, kw_only=True)
class Input:
    """A declared ``<input>`` of a task or step.

    The class is not slotted, because its cached properties need a ``__dict__``.
    """

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
        """Whether the evaluated value is used unchanged: the input has no type, default, checks or other setting."""
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
        """The function that evaluates the input in a scope, before default, conversion and checks.

        For a by-name input it reads the variable of that name, and raises UnknownVariableError if there is none.
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
        """Whether the input has neither value nor source: its value is then the variable of the same name."""
        return self.source is None and self.value is None

    def describe(self, path: str = "") -> str:
        """Return name, type and description of the input for an error message.

        With ``path``, the text also names the step that requests the input.
        """
        text = f"input '{self.name}'"
        if self.type:
            text += f" ({self.type.name})"
        if path:
            text += f" of {path}"
        return f"{text}, {self.description.strip()}" if self.description else text

    def resolve(self, value: Any, scope: Scope) -> Any:
        """Replace None by the default, then convert and check the value; return it.

        The default is evaluated in ``scope``. Raises ValueError, with the problem as text, if the value is wrong.
        """
        if value is None and self.default_value is not None:
            value = self.default_value.run(scope)
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        """Convert a value to the type of the input, check it, and return it; the default is not used.

        Raises ValueError, with the problem as text, if the value is wrong.
        """
        if value is not None and self.type is not None:
            value = self.type.convert(value)
        if self.mandatory and (value is None or (isinstance(value, CONTAINERS) and not value)):
            raise ValueError("is mandatory and " + ("missing" if value is None else "empty"))
        if self.schema is not None and value is not None:
            self.schema.check(value)
        return value


def unknown_variable(name: str, names: Iterable[str]) -> str:
    """Return the error message for a by-name input whose variable does not exist.

    ``names`` are the variables that exist; the message suggests the one that is most similar.
    """
    hint = near_hint(name, {known for known in names if not known.startswith("_")})
    return f"unknown variable '{name}'" + (f"; {hint}" if hint else "")


def bind_inputs(inputs: tuple[Input, ...], outer: Scope, task: Scope, lenient: bool) -> dict[str, Any]:
    """Evaluate, convert and check all inputs of a step and return their values by name.

    Parameters: ``outer`` is the scope of the caller, in which the inputs are evaluated; ``task`` is the scope of the
    task, for inputs with ``fromTaskScope``. ``lenient`` means that an unknown variable is null. Raises one InputError
    with the problems of all inputs; an exception of a script is raised at once.
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
    """Apply defaults, conversion and checks to values that were given from outside, and return the values by name.

    Parameters: ``given`` are the values by name, ``scope`` is the scope in which defaults are evaluated. Raises one
    InputError with the problems of all inputs.
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
    """Set the inputs of a task in its scope, after defaults, conversion and checks; raise InputError with all problems.

    Parameters: ``given`` are the values from the caller by name. A name that the task does not declare is a problem,
    unless the task declares no inputs at all. An input that is not given is evaluated from its own value or source.
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
