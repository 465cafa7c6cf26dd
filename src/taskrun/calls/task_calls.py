"""Calling a Task from a step: ``execute``, which the step is, and ``revert``, which undoes it.

Rules: an object with ``execute`` and ``revert`` counts as a Task, and so does a class of tasks, of which an object is made
for each call. Values come by their names in the flow: the step's inputs, without any the variables of its caller; what
the task injects wins. ``pre_…``, the method itself and ``post_…`` are called in one piece where ``executor`` says; as
soon as one of them is ``async``, each is called by itself, the ``async`` ones on the loop. ``post_…`` is called after
failures too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskrun.calls.arguments import ArgumentNames
from taskrun.calls.context import CONTEXT, step_context
from taskrun.calls.provides import provided
from taskrun.calls.python_calls import Signature, is_async, offload, values_for
from taskrun.calls.task_class import REVERT_ONLY, FunctionTask, Task, overridden
from taskrun.core.completion import RESULT, Completion, completed, completion_of
from taskrun.errors import PluginError

if TYPE_CHECKING:
    from taskrun.core.frame import Frame


def task_of(bean: Any) -> Task | None:
    """Return the task that a bean is, None when it is none; raises PluginError for one that cannot be used."""
    if isinstance(bean, type):
        return _made(bean) if issubclass(bean, Task) else None
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


def _made(cls: type[Task]) -> Task:
    try:
        return cls()
    except Exception as error:
        text = f"{cls.__qualname__} cannot be made without arguments ({error}): give an object, not the class"
        raise PluginError(text) from error


def signature_of(task: Task) -> Signature:
    """Return what a step must give to a task, in names of the flow: the arguments of ``execute`` and ``revert``."""
    names, undo = task.execute_names, task.revert_names
    ordered = tuple(dict.fromkeys((*names.required, *undo.required, *names.optional, *undo.optional)))
    return Signature(
        required=tuple(name for name in ordered if name in task.requires),
        optional=tuple(name for name in ordered if name in task.optional),
        positional=(),
        any_name=names.parameters.any_name,
    )


async def execute_task(frame: Frame, task: Task) -> Completion:
    """Execute a task for the step of the frame; its outputs are the RESULT and what the task provides."""
    names = task.execute_names
    values = {**values_for(frame, signature_of(task)), **task.inject}
    with _context_for(frame, names, values) as given:
        arguments = names.arguments({**values, **given})
        if names.parameters.any_name:
            taken = {*names.names.values(), *task.revert_names.names.values(), *task.inject}
            arguments.update({name: value for name, value in values.items() if name not in taken})
        result = await _in_three(frame, task, "execute", arguments)
    if not task.save_as:
        return completion_of(result)
    return completed({RESULT: result, **provided(task.name, task.save_as, result)})


def has_revert(bean: Any) -> bool:
    """Whether a bean has a ``revert`` that does something."""
    task = task_of(bean)
    return task is not None and task.has_revert


def names_for_revert(bean: Any) -> frozenset[str]:
    """Return the names, among those that a step gives to the bean, whose values its ``revert`` needs later on."""
    task = task_of(bean)
    if task is None or not task.has_revert:
        return frozenset()
    return task.revert_requires | task.revert_optional


def values_for_revert(frame: Frame, bean: Any) -> dict[str, Any]:
    """Return the values to keep for ``revert`` of the step of the frame, by name.

    Call it in the frame that the bean is executed in, before anything is exported from it.
    """
    task, wanted = task_of(bean), names_for_revert(bean)
    if task is None or not wanted:
        return {}
    return {name: value for name, value in values_for(frame, signature_of(task)).items() if name in wanted}


async def revert_with(
    frame: Frame,
    bean: Any,
    values: Mapping[str, Any],
    *,
    result: Any,
    failure: BaseException,
    failures: Mapping[str, BaseException],
) -> Any:
    """Compensation what a bean's ``execute`` did and return what ``revert`` returned, None when there is no ``revert``.

    Parameters: ``values`` are what ``values_for_revert`` gave (more does no harm), ``result`` what ``execute`` returned or
    the failure that it ended with, ``failure`` what started the undoing, ``failures`` the failures by step path.
    Raises LookupError when a value is missing, and what ``revert`` raises.
    """
    task = task_of(bean)
    if task is None or not task.has_revert:
        return None
    names = task.revert_names
    special = dict(zip(REVERT_ONLY, (result, failures, failure), strict=True))
    values = {**values, **task.inject}
    with _context_for(frame, names, values, shielded=True) as given:
        arguments = {name: value for name, value in special.items() if names.parameters.takes(name)}
        arguments.update(names.arguments({**values, **given}))
        return await _in_three(frame, task, "revert", arguments)


@contextmanager
def _context_for(
    frame: Frame, names: ArgumentNames, values: Mapping[str, Any], *, shielded: bool = False
) -> Iterator[Mapping[str, Any]]:
    """Give the context by its name for the time of a call, nothing when it is not asked for or given by a value."""
    if CONTEXT in values or CONTEXT not in names.names.values():
        yield {}
        return
    with step_context(frame, shielded=shielded) as context:
        yield {CONTEXT: context}


@dataclass(frozen=True, slots=True)
class _InThree:
    """A method of a task between those that are called before and after it; it can be sent to a process."""

    before: Callable[[], Any]
    work: Callable[..., Any]
    after: Callable[[], Any]

    def __call__(self, **arguments: Any) -> Any:
        try:
            self.before()
            return self.work(**arguments)
        finally:
            self.after()


async def _in_three(frame: Frame, task: Task, method: str, arguments: dict[str, Any]) -> Any:
    before, work, after = f"pre_{method}", getattr(task, method), f"post_{method}"
    around = [getattr(task, name) for name in (before, after)]
    if not any(map(is_async, (*around, work))):
        return await _here_or_there(frame, _InThree(around[0], work, around[1]), arguments)
    try:
        if overridden(task, before):
            await _here_or_there(frame, around[0], {})
        return await _here_or_there(frame, work, arguments)
    finally:
        if overridden(task, after):
            await _here_or_there(frame, around[1], {})


async def _here_or_there(frame: Frame, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a function, on the loop when it is ``async``, else where the frame's executor says."""
    if is_async(function):
        return await function(**arguments)
    value = await offload(frame, function, (), arguments)
    return await value if inspect.isawaitable(value) else value
