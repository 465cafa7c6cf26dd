"""Call a Task (an object with ``execute`` and ``revert``) from a step: ``revert`` is the compensation of the step.

Rules: any object with these two methods is used as a Task; a subclass of Task itself is instantiated for each call. The
arguments are the inputs of the step, or for a step without inputs, variables of the enclosing scope; values that the
Task was created with (``inject``) replace them. ``pre_execute``, ``execute`` and ``post_execute`` are one call in the
executor of the step. If one of them is ``async``, they are three calls, the ``async`` ones on the event loop.
``post_execute`` is called after failures too. All this applies to ``pre_revert``, ``revert`` and ``post_revert`` too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.calls.arguments import CONTEXT, ArgumentNames
from taskrun.calls.context import step_context
from taskrun.calls.provides import provided_outputs
from taskrun.calls.python_calls import is_async, offload, values_for
from taskrun.calls.task_class import REVERT_ONLY, FunctionTask, Task, overridden
from taskrun.core.completion import RESULT, Completion, completed, completion_of
from taskrun.errors import PluginError

if TYPE_CHECKING:
    from taskrun.core.frame import Frame


def task_of(bean: Any) -> Task | None:
    """Return a bean as a Task, None if it is not used as a Task.

    A Task is returned unchanged. A subclass of Task is instantiated. An object with methods ``execute`` and ``revert``
    is wrapped in a FunctionTask. Raises PluginError if that is not possible.
    """
    if isinstance(bean, type):
        return _instance_of(bean) if issubclass(bean, Task) else None
    if isinstance(bean, Task):
        if not hasattr(bean, "execute_names"):
            raise PluginError(f"{type(bean).__qualname__}.__init__() does not call super().__init__()")
        return bean
    execute, revert = getattr(bean, "execute", None), getattr(bean, "revert", None)
    if not (callable(execute) and callable(revert)):
        return None
    try:
        return FunctionTask(execute, revert=revert, name=type(bean).__qualname__)
    except ValueError as error:
        raise PluginError(str(error)) from error


def _instance_of(cls: type[Task]) -> Task:
    """Return a new object of a subclass of Task; raises PluginError if it cannot be created without arguments."""
    try:
        return cls()
    except Exception as error:
        text = f"{cls.__qualname__} cannot be created without arguments ({error}): "
        raise PluginError(text + "use an object as the bean, not the class") from error


async def execute_task(frame: Frame, task: Task) -> Completion:
    """Execute a Task for the step of the frame.

    The outputs of the completion are RESULT, the value of ``execute``, and those that the Task declares (``provides``).
    """
    names = task.execute_names
    values = {**values_for(frame, task.step_parameters), **task.inject}
    with _context_for(frame, names, values) as context:
        arguments = names.arguments({**values, **context})
        if names.parameters.any_name:
            consumed = {*names.names.values(), *task.revert_names.names.values(), *task.inject}
            arguments.update({name: value for name, value in values.items() if name not in consumed})
        result = await _with_hooks(frame, task, "execute", arguments)
    if not task.save_as:
        return completion_of(result)
    return completed({RESULT: result, **provided_outputs(task.name, task.save_as, result)})


def has_revert(bean: Any) -> bool:
    """Return whether a bean is a Task with a ``revert`` of its own, so that its step has a compensation."""
    task = task_of(bean)
    return task is not None and task.has_revert


def names_for_revert(bean: Any) -> frozenset[str]:
    """Return the names of the values of the flow that the ``revert`` of a bean needs; an empty set without one."""
    task = task_of(bean)
    if task is None or not task.has_revert:
        return frozenset()
    return task.revert_requires | task.revert_optional


def values_for_revert(frame: Frame, bean: Any) -> dict[str, Any]:
    """Return the values that must be recorded, by name, so that the ``revert`` of a bean can be called later.

    Call it in the frame of the step before its outputs become variables, which could replace these values.
    """
    task, needed = task_of(bean), names_for_revert(bean)
    if task is None or not needed:
        return {}
    return {name: value for name, value in values_for(frame, task.step_parameters).items() if name in needed}


async def revert_with(
    frame: Frame,
    bean: Any,
    values: Mapping[str, Any],
    *,
    result: Any,
    failure: BaseException,
    failures: Mapping[str, BaseException],
) -> Any:
    """Call the ``revert`` of a bean and return its value; if it has none, do nothing and return None.

    Parameters: ``values`` are what ``values_for_revert`` returned; superfluous ones are ignored. ``result`` is the
    value that ``execute`` returned or the exception that it raised. ``failure`` is the exception that started the
    rollback, ``failures`` are all exceptions by the path of the step. Raises LookupError if a value is missing, and the
    exceptions of ``revert``.
    """
    task = task_of(bean)
    if task is None or not task.has_revert:
        return None
    names = task.revert_names
    special = dict(zip(REVERT_ONLY, (result, failures, failure), strict=True))
    values = {**values, **task.inject}
    with _context_for(frame, names, values, shielded=True) as context:
        arguments = {name: value for name, value in special.items() if names.parameters.accepts(name)}
        arguments.update(names.arguments({**values, **context}))
        return await _with_hooks(frame, task, "revert", arguments)


@contextmanager
def _context_for(
    frame: Frame, names: ArgumentNames, values: Mapping[str, Any], *, shielded: bool = False
) -> Iterator[Mapping[str, Any]]:
    """Yield the argument for the parameter ``context`` of a method as a mapping: ``{"context": StepContext}``.

    The mapping is empty if the method has no such parameter, or if ``values`` contain another value for it. A
    ``shielded`` call is never cancelled.
    """
    if CONTEXT in values or CONTEXT not in names.names.values():
        yield {}
        return
    with step_context(frame, shielded=shielded) as context:
        yield {CONTEXT: context}


@dataclass(frozen=True, slots=True)
class _WithHooks:
    """Function that calls a method of a Task between its ``pre_…`` and ``post_…`` methods; it can be pickled."""

    before: Callable[[], Any]
    work: Callable[..., Any]
    after: Callable[[], Any]

    def __call__(self, **arguments: Any) -> Any:
        try:
            self.before()
            return self.work(**arguments)
        finally:
            self.after()


async def _with_hooks(frame: Frame, task: Task, method: str, arguments: dict[str, Any]) -> Any:
    """Call ``execute`` or ``revert`` of a Task between its ``pre_…`` and ``post_…`` methods; return its value."""
    before, work, after = f"pre_{method}", getattr(task, method), f"post_{method}"
    around = [getattr(task, name) for name in (before, after)]
    if not any(map(is_async, (*around, work))):
        return await _call_or_offload(frame, _WithHooks(around[0], work, around[1]), arguments)
    try:
        if overridden(task, before):
            await _call_or_offload(frame, around[0], {})
        return await _call_or_offload(frame, work, arguments)
    finally:
        if overridden(task, after):
            await _call_or_offload(frame, around[1], {})


async def _call_or_offload(frame: Frame, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a function and return its value: on the event loop if it is ``async``, else in the executor of the frame."""
    if is_async(function):
        return await function(**arguments)
    value = await offload(frame, function, (), arguments)
    return await value if inspect.isawaitable(value) else value
