"""Call Python functions from steps: collect their arguments and choose the executor.

Rules: the arguments are the inputs of the step, by name. For a step without inputs they are variables of the enclosing
scope, by the names of the parameters. An ``async def`` function is awaited on the event loop; any other function runs
in a worker thread, or in the executor that the step names, so that it does not block other branches. A parameter
``context`` receives the StepContext unless the flow gives it another value.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from taskrun.calls.arguments import CONTEXT, Parameters
from taskrun.calls.context import step_context
from taskrun.core.workers import run_in
from taskrun.errors import PluginError, RunError, near_hint

if TYPE_CHECKING:
    from taskrun.core.frame import Frame

INLINE, THREAD, PROCESS = "inline", "thread", "process"
EXECUTORS = (INLINE, THREAD, PROCESS)
"""The executors of taskrun; any other executor is a bean."""


def values_for(frame: Frame, parameters: Parameters) -> dict[str, Any]:
    """Return the values of a call by name: the inputs of the step or, if it has none, variables named like parameters.

    Raises LookupError if there is no variable for a parameter that needs a value.
    """
    inputs = frame.step.inputs
    if inputs:
        return {item.name: frame.scope[item.name] for item in inputs}
    outer = frame.parent.scope if frame.parent is not None else frame.scope
    values = {}
    for name in parameters.needed:
        if not outer.has(name):
            hint = near_hint(name, outer.names())
            raise LookupError(f"no variable '{name}' for the parameter of that name" + (f"; {hint}" if hint else ""))
        values[name] = outer[name]
    optional = (*parameters.optional, CONTEXT) if parameters.takes_context else parameters.optional
    values.update({name: outer[name] for name in optional if outer.has(name)})
    return values


async def call(frame: Frame, function: Callable[..., Any]) -> Any:
    """Call a function for the step of ``frame`` and return its value."""
    parameters = Parameters.of(function)
    values = values_for(frame, parameters)
    if not parameters.takes_context or CONTEXT in values:
        return await _call_or_offload(frame, function, *parameters.arguments(values))
    with step_context(frame) as context:
        return await _call_or_offload(frame, function, *parameters.arguments({**values, CONTEXT: context}))


async def _call_or_offload(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call a function on the event loop if it is ``async``, else in the executor of the frame; return its value."""
    if is_async(function):
        return await function(*positional, **named)
    value = await offload(frame, function, positional, named)
    return await value if inspect.isawaitable(value) else value


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether a call of the function returns a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def offload(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]
) -> Awaitable[Any]:
    """Run a plain function in the executor of the frame; without one, in a worker thread."""
    name = frame.executor or THREAD
    services = frame.run.services
    if name == INLINE:
        return _inline(function, positional, named)
    if name == PROCESS:
        return _in_process(frame, function, positional, dict(named))
    executor: Executor = services.threads if name == THREAD else executor_bean(frame, name)
    return run_in(executor, _apply, function, positional, named)


def executor_bean(frame: Frame, name: str) -> Executor:
    """Return the bean that ``executor="…"`` names; raises PluginError if it is not an Executor."""
    bean = frame.run.beans.get(name)
    if not isinstance(bean, Executor):
        raise PluginError(f"executor '{name}' is a {type(bean).__name__}, not a concurrent.futures.Executor")
    return bean


async def _inline(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Call a function in the event loop and return its value."""
    return function(*positional, **named)


def _apply(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Call a function in a worker and return its value; a StopIteration becomes a RunError."""
    try:
        return function(*positional, **named)
    except StopIteration as error:  # asyncio forbids this exception in a future
        raise RunError("the function raised StopIteration") from error


async def _in_process(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call a function in a worker process.

    Raises RunError that names the function or argument that cannot be pickled.
    """
    try:
        return await frame.run.services.processes.run(_apply, function, positional, named)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        name = _unpicklable(function, positional, named)
        if name is None:
            raise
        raise RunError(f"step '{frame.path}' cannot run in a process: {name} cannot be pickled ({error})") from error


def _unpicklable(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    """Return a text that names the first part of a call that cannot be pickled, None if all parts can."""
    import cloudpickle

    parts = {"the function": function, **{f"argument {n + 1}": value for n, value in enumerate(positional)}}
    parts.update({f"the value of '{name}'": value for name, value in named.items()})
    for name, value in parts.items():
        try:
            cloudpickle.dumps(value)
        except Exception:  # noqa: BLE001 - pickling runs the objects' own code
            return name
    return None
