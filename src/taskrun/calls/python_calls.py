"""Calling Python functions from steps: their arguments, and where they run.

Rules: arguments are the step's inputs by name; a step without inputs takes the function's parameters from the variables
of its parent's scope, those without default being required. ``async def`` is awaited on the loop; a plain function runs
in a worker thread, or where ``executor`` says, so that it never blocks other branches. A parameter ``context`` that
nothing else gives is the StepContext.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.calls.context import CONTEXT, step_context
from taskrun.core.workers import run_in
from taskrun.errors import PluginError, RunError, near_hint

if TYPE_CHECKING:
    from taskrun.core.frame import Frame

INLINE, THREAD, PROCESS = "inline", "thread", "process"
EXECUTORS = (INLINE, THREAD, PROCESS)

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function as a step fills them."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    positional: tuple[str, ...]
    any_name: bool
    known: bool = True

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """Return the signature of a function; of some built-in functions it is not known."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return cls((), (), (), any_name=True, known=False)
        named = [item for item in parameters if item.kind in _NAMED]
        return cls(
            required=tuple(item.name for item in named if item.default is item.empty),
            optional=tuple(item.name for item in named if item.default is not item.empty),
            positional=tuple(item.name for item in parameters if item.kind is item.POSITIONAL_ONLY),
            any_name=any(item.kind is item.VAR_KEYWORD for item in parameters),
        )

    def problems(self, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with calling the function with arguments of these names, each with the name in question."""
        if not self.known:
            return
        if self.positional:
            if len(names) < len(self.positional):
                yield "", f"it takes {len(self.positional)} positional arguments, {len(names)} are given"
            return
        taken = (*self.required, *self.optional)
        for name in names:
            if name not in taken and not self.any_name:
                hint = near_hint(name, taken) or "its parameters are: " + ", ".join(taken)
                yield name, f"it has no parameter '{name}'; {hint}"
        for name in self.required:
            if name not in names and name != CONTEXT:
                yield "", f"its parameter '{name}' is not given: add <input name=\"{name}\"/>"

    @property
    def needed(self) -> tuple[str, ...]:
        """The names without which the function cannot be called; a context is always there."""
        return (*self.positional, *(name for name in self.required if name != CONTEXT))

    @property
    def takes_context(self) -> bool:
        """Whether the function has a parameter for the context."""
        return CONTEXT in self.required or CONTEXT in self.optional

    def arguments(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return positional and named arguments; parameters without a usable name are filled in the inputs' order."""
        if not self.known:
            return tuple(values.values()), {}
        count = len(self.positional)
        given = list(values.items())
        return tuple(value for _, value in given[:count]), dict(given[count:])


def values_for(frame: Frame, signature: Signature) -> dict[str, Any]:
    """Return the arguments by name: the step's declared inputs, or without any, what the parameters ask for."""
    inputs = frame.step.inputs
    if inputs:
        return {item.name: frame.scope[item.name] for item in inputs}
    outer = frame.parent.scope if frame.parent is not None else frame.scope
    values = {}
    for name in signature.needed:
        if not outer.has(name):
            hint = near_hint(name, outer.names())
            raise LookupError(f"no variable '{name}' for the parameter of that name" + (f"; {hint}" if hint else ""))
        values[name] = outer[name]
    optional = (*signature.optional, CONTEXT) if signature.takes_context else signature.optional
    values.update({name: outer[name] for name in optional if outer.has(name)})
    return values


async def call(frame: Frame, function: Callable[..., Any]) -> Any:
    """Call a function for the step of the frame and return its value."""
    signature = Signature.of(function)
    values = values_for(frame, signature)
    if not signature.takes_context or CONTEXT in values:
        return await _called(frame, function, *signature.arguments(values))
    with step_context(frame) as context:
        return await _called(frame, function, *signature.arguments({**values, CONTEXT: context}))


async def _called(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    if is_async(function):
        return await function(*positional, **named)
    value = await offload(frame, function, positional, named)
    return await value if inspect.isawaitable(value) else value


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling the function gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def offload(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]
) -> Awaitable[Any]:
    """Run a plain function where the frame's executor says, in a worker thread when it says nothing."""
    name = frame.executor or THREAD
    services = frame.run.services
    if name == INLINE:
        return _inline(function, positional, named)
    if name == PROCESS:
        return _in_process(frame, function, positional, dict(named))
    executor: Executor = services.threads if name == THREAD else executor_bean(frame, name)
    return run_in(executor, _apply, function, positional, named)


def executor_bean(frame: Frame, name: str) -> Executor:
    """Return the bean that an ``executor`` names; raises PluginError when it is no executor."""
    bean = frame.run.beans.get(name)
    if not isinstance(bean, Executor):
        raise PluginError(f"executor '{name}' is a {type(bean).__name__}, not a concurrent.futures.Executor")
    return bean


async def _inline(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    return function(*positional, **named)


def _apply(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    try:
        return function(*positional, **named)
    except StopIteration as error:  # a future cannot carry it
        raise RunError("the function raised StopIteration") from error


async def _in_process(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    try:
        return await frame.run.services.processes.run(_apply, function, positional, named)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        name = _unpicklable(function, positional, named)
        if name is None:
            raise
        raise RunError(f"step '{frame.path}' cannot run in a process: {name} cannot be pickled ({error})") from error


def _unpicklable(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    import cloudpickle

    parts = {"the function": function, **{f"argument {n + 1}": value for n, value in enumerate(positional)}}
    parts.update({f"the value of '{name}'": value for name, value in named.items()})
    for name, value in parts.items():
        try:
            cloudpickle.dumps(value)
        except Exception:  # noqa: BLE001 - pickling runs the objects' own code
            return name
    return None
