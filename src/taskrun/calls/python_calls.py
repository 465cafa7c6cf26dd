"""Call Python functions from steps: collect their arguments, and execute them in the right executor.

Rules: the arguments are the inputs of the step, by name. For a step without inputs they are the variables of the
enclosing scope with the names of the parameters. An ``async def`` function is awaited on the event loop. Any other
function is executed in a worker thread, or in the executor that the step names, so that it does not block other
branches. A parameter ``context`` gets the StepContext unless the flow passes another value under this name.
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
"""The executors of taskrun: the event loop, a worker thread, a worker process. Any other name is that of a bean."""


def values_for(frame: Frame, parameters: Parameters) -> dict[str, Any]:
    """Return the values for a call, by name: the inputs of the step, or variables with the names of the parameters.

    The variables are used if the step has no inputs. Raises LookupError if there is none for a parameter without a
    default.
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
    """Call a function with the inputs of the step of ``frame``, in the executor of the step.

    Returns the value of the function; an awaitable that it returns is awaited.
    """
    parameters = Parameters.of(function)
    values = values_for(frame, parameters)
    if not parameters.takes_context or CONTEXT in values:
        return await _call_or_offload(frame, function, *parameters.arguments(values))
    with step_context(frame) as context:
        return await _call_or_offload(frame, function, *parameters.arguments({**values, CONTEXT: context}))


async def _call_or_offload(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call a function and return its value: on the event loop if it is ``async``, else in the executor of the frame."""
    if is_async(function):
        return await function(*positional, **named)
    value = await offload(frame, function, positional, named)
    return await value if inspect.isawaitable(value) else value


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether a callable is an ``async def`` function, or an object whose ``__call__`` is one."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def offload(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]
) -> Awaitable[Any]:
    """Execute a function that is not ``async`` in the executor of the frame; return an awaitable for its value.

    A step that names no executor uses a worker thread.
    """
    name = frame.executor or THREAD
    services = frame.run.services
    if name == INLINE:
        return _inline(function, positional, named)
    if name == PROCESS:
        return _in_process(frame, function, positional, dict(named))
    executor: Executor = services.threads if name == THREAD else executor_bean(frame, name)
    return run_in(executor, _apply, function, positional, named)


def executor_bean(frame: Frame, name: str) -> Executor:
    """Return the Executor that a step names with ``executor="…"``; raises PluginError if the bean is something else."""
    bean = frame.run.beans.get(name)
    if not isinstance(bean, Executor):
        raise PluginError(f"executor '{name}' is a {type(bean).__name__}, not a concurrent.futures.Executor")
    return bean


async def _inline(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Call a function on the event loop and return its value; awaitable, as the calls in other executors are."""
    return function(*positional, **named)


def _apply(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Call a function inside a worker and return its value.

    A StopIteration becomes a RunError, because asyncio cannot pass this exception on.
    """
    try:
        return function(*positional, **named)
    except StopIteration as error:  # asyncio forbids this exception in a future
        raise RunError("the function raised StopIteration") from error


async def _in_process(
    frame: Frame, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call a function in a worker process and return its value.

    Raises RunError, which names the function or the argument, if one of them cannot be pickled.
    """
    try:
        return await frame.run.services.processes.run(_apply, function, positional, named)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        name = _unpicklable(function, positional, named)
        if name is None:
            raise
        raise RunError(f"step '{frame.path}' cannot run in a process: {name} cannot be pickled ({error})") from error


def _unpicklable(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    """Return a text that names the part of a call (function or argument) that cannot be pickled; None if all can."""
    import cloudpickle

    parts = {"the function": function, **{f"argument {n + 1}": value for n, value in enumerate(positional)}}
    parts.update({f"the value of '{name}'": value for name, value in named.items()})
    for name, value in parts.items():
        try:
            cloudpickle.dumps(value)
        except Exception:  # noqa: BLE001 - pickling runs the objects' own code
            return name
    return None
