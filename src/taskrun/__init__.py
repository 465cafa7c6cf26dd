"""taskrun: run flows that are data.

    from taskrun import TaskManager

    TaskManager.run("greet.task.xml", {"who": "Ada"})

Everything is imported on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what typing.TYPE_CHECKING is at run time, without the 10 ms that importing typing takes

if TYPE_CHECKING:
    from typing import Any

    from taskrun.calls.context import StepContext as StepContext
    from taskrun.calls.task_class import FunctionTask as FunctionTask
    from taskrun.calls.task_class import Task as Task
    from taskrun.calls.task_class import function_task as function_task
    from taskrun.core.body import Body as Body
    from taskrun.core.completion import NEXT as NEXT
    from taskrun.core.completion import Completion as Completion
    from taskrun.core.completion import completion_of as completion_of
    from taskrun.core.duration import Millis as Millis
    from taskrun.core.events import Event as Event
    from taskrun.core.fields import Expr as Expr
    from taskrun.core.flow import Flow as Flow
    from taskrun.core.frame import Frame as Frame
    from taskrun.core.script_language import Code as Code
    from taskrun.core.script_language import Language as Language
    from taskrun.core.step import Decorator as Decorator
    from taskrun.core.step import Step as Step
    from taskrun.core.step import decorator as decorator
    from taskrun.core.step import step as step
    from taskrun.manager import TaskManager as TaskManager
    from taskrun.result import RunResult as RunResult
    from taskrun.script.limits import Limits as Limits
    from taskrun.script.script import Script as Script
    from taskrun.tags.context import TagContext as TagContext

__version__ = "0.1.0"

_PLACES = (
    ("taskrun.manager", ("TaskManager",)),
    ("taskrun.result", ("RunResult",)),
    ("taskrun.core.completion", ("NEXT", "Completion", "completion_of")),
    ("taskrun.script.limits", ("Limits",)),
    ("taskrun.core.flow", ("Flow",)),
    ("taskrun.core.frame", ("Frame",)),
    ("taskrun.core.step", ("Decorator", "Step", "decorator", "step")),
    ("taskrun.calls.context", ("StepContext",)),
    ("taskrun.calls.task_class", ("FunctionTask", "Task", "function_task")),
    ("taskrun.core.body", ("Body",)),
    ("taskrun.core.duration", ("Millis",)),
    ("taskrun.core.events", ("Event",)),
    ("taskrun.core.fields", ("Expr",)),
    ("taskrun.core.script_language", ("Code", "Language")),
    ("taskrun.script.script", ("Script",)),
    ("taskrun.tags.context", ("TagContext",)),
)


def __getattr__(name: str) -> Any:
    for module, names in _PLACES:
        if name in names:
            import importlib

            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'taskrun' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({"__version__", *(name for _, names in _PLACES for name in names)})
