"""The tags of ``/tags/task.xlib``: run another task, set a variable of the task.

    <task:Execute taskModelPath="pricing.task.xml" inputs="${{'order': order}}"/>
    <task:output name="total" value="${total}"/>

Rules: ``taskRt`` is what scripts know the run by; the library's tags take it from the caller's variables. A task that is
executed is a run below the caller's: it sees none of its variables, and is cancelled with it.
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
    """Run another task and return its outputs.

    Parameters: ``taskModelPath`` is its file (relative to the file of the flow), or ``taskName`` with ``taskVersion`` its name
    in the search roots; ``inputs`` are its inputs; ``outputNames`` picks some of its outputs, all by default.
    Raises NotFound, FlowError, InputError, RunError for tasks that call tasks too deep, KeyError for an output that it does not have, and what the task raised.
    """
    if not isinstance(taskRt, TaskView):
        raise TypeError("task:Execute is possible in a step only, where taskRt is the run")
    if (taskModelPath is None) == (taskName is None):
        raise ValueError("task:Execute needs taskModelPath or taskName")
    run = run_of(taskRt)
    search_path = run.services.search_path
    if taskModelPath is not None:
        path = search_path.by_path(taskModelPath, run.flow.path)
    else:
        path = search_path.by_name(taskName or "", taskVersion, ".task")
    done = await run_flow(run.child_run(path, f"{run.called_from or 'main'}/task:Execute"), inputs or {})
    if outputNames is None:
        return dict(done.outputs)
    return {name: _output(done.outputs, name) for name in outputNames}


def _output(outputs: Mapping[str, Any], name: str) -> Any:
    if name not in outputs:
        hint = near_hint(name, outputs) or "it has " + ", ".join(outputs)
        raise KeyError(f"the task has no output '{name}'; {hint}")
    return outputs[name]


async def output(*, name: str, value: Any = None, taskRt: Any = None) -> None:
    """Set a variable of the task.

    Parameters: ``name`` is that of the variable, ``value`` what it is set to. Raises TypeError outside of a step and ValueError for a
    name that is none.
    """
    if not isinstance(taskRt, TaskView):
        raise TypeError("task:output is possible in a step only, where taskRt is the run")
    if not name.isidentifier():
        raise ValueError(f"'{name}' is no variable's name")
    run_of(taskRt).scope[name] = value


output.sets_any = True  # type: ignore[attr-defined]  # the analysis of variables cannot know the name
