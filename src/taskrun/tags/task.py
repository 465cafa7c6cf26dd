"""Tags of ``/tags/task.xlib``: run another task, set a variable of the task.

    <task:Execute taskModelPath="pricing.task.xml" inputs="${{'order': order}}"/>
    <task:output name="total" value="${total}"/>

Rules: both tags can be used in steps only. They read the variable ``taskRt``, the object that represents the run in
scripts, from the scope of their caller. The executed task cannot read variables of its caller, and is cancelled with
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskrun.core.execution import execute as run_flow
from taskrun.core.script_views import TaskView, run_of
from taskrun.errors import near_hint


async def execute(
    *,
    taskModelPath: str | None = None,
    taskName: str | None = None,
    taskVersion: int | None = None,
    inputs: dict[str, Any] | None = None,
    outputNames: list[str] | None = None,
    taskRt: Any = None,
) -> dict[str, Any]:
    """Run another task and return its outputs as a dict.

    Parameters: ``taskModelPath`` is the file of the task (relative to the file of the flow); alternatively,
    ``taskName`` and ``taskVersion`` are its name and version in the search roots; ``inputs`` are its inputs;
    ``outputNames`` selects outputs, by default all. ``taskRt`` is passed by the tag, not by its user.

    Raises NotFoundError if there is no such task, FlowError if it is invalid, InputError for wrong inputs, RunError for
    calls nested too deeply, KeyError for an output that the task does not have, and the error of a task that fails.
    """
    if not isinstance(taskRt, TaskView):
        raise TypeError("task:Execute can be used in a step only, where taskRt is the run")
    if (taskModelPath is None) == (taskName is None):
        raise ValueError("task:Execute needs taskModelPath or taskName")
    run = run_of(taskRt)
    search_path = run.services.search_path
    if taskModelPath is not None:
        path = search_path.by_path(taskModelPath, run.flow.path)
    else:
        path = search_path.by_name(taskName or "", taskVersion, ".task")
    completion = await run_flow(run.child_run(path, f"{run.called_from or 'main'}/task:Execute"), inputs or {})
    if outputNames is None:
        return dict(completion.outputs)
    return {name: _output(completion.outputs, name) for name in outputNames}


def _output(outputs: Mapping[str, Any], name: str) -> Any:
    """Return the output ``name`` of a task; raises KeyError, with a similar name, if the task does not have it."""
    if name not in outputs:
        hint = near_hint(name, outputs) or "it has " + ", ".join(outputs)
        raise KeyError(f"the task has no output '{name}'; {hint}")
    return outputs[name]


async def output(*, name: str, value: Any = None, taskRt: Any = None) -> None:
    """Set a variable of the task in which the tag is used.

    Parameters: ``name`` is the name of the variable, ``value`` its new value. ``taskRt`` is passed by the tag, not by
    its user.

    Raises TypeError outside of a step, and ValueError for an invalid name.
    """
    if not isinstance(taskRt, TaskView):
        raise TypeError("task:output can be used in a step only, where taskRt is the run")
    if not name.isidentifier():
        raise ValueError(f"'{name}' is no variable's name")
    run_of(taskRt).scope[name] = value


output.sets_any = True  # type: ignore[attr-defined]  # the name is known at run time only
