"""taskrun: run flows that are data.

    import taskrun

    taskrun.run("greet.task.xml", {"who": "Ada"})

Each public name is imported from its module on first use, so that importing the package costs next to nothing. Public
are the names of this package, and what ``taskrun.errors``, ``taskrun.events``, ``taskrun.stores``,
``taskrun.observers`` and ``taskrun.testing`` export; all else may change. Begin reading with ``manager`` for the way
from a file to a result, or with ``compile.pipeline`` and ``core``.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what typing.TYPE_CHECKING is at run time, without the 10 ms that importing typing takes

if TYPE_CHECKING:
    from typing import Any

    from taskrun.calls.context import StepContext as StepContext
    from taskrun.calls.task_class import FunctionTask as FunctionTask
    from taskrun.calls.task_class import Task as Task
    from taskrun.calls.task_class import function_task as function_task
    from taskrun.compile.flow_cache import FlowCache as FlowCache
    from taskrun.core.body import Body as Body
    from taskrun.core.completion import NEXT as NEXT
    from taskrun.core.completion import Completion as Completion
    from taskrun.core.completion import Signal as Signal
    from taskrun.core.completion import completion_of as completion_of
    from taskrun.core.duration import Millis as Millis
    from taskrun.core.events import Event as Event
    from taskrun.core.events import Observer as Observer
    from taskrun.core.fields import AwaitingOwn as AwaitingOwn
    from taskrun.core.fields import AwaitingScript as AwaitingScript
    from taskrun.core.fields import Expr as Expr
    from taskrun.core.fields import FromElement as FromElement
    from taskrun.core.fields import OnStep as OnStep
    from taskrun.core.fields import Own as Own
    from taskrun.core.fields import Prefixed as Prefixed
    from taskrun.core.fields import Text as Text
    from taskrun.core.flow import Flow as Flow
    from taskrun.core.frame import Frame as Frame
    from taskrun.core.link_context import LinkContext as LinkContext
    from taskrun.core.run import Run as Run
    from taskrun.core.scope import Scope as Scope
    from taskrun.core.script_language import Code as Code
    from taskrun.core.script_language import Language as Language
    from taskrun.core.step import Decorator as Decorator
    from taskrun.core.step import Inner as Inner
    from taskrun.core.step import Step as Step
    from taskrun.core.step import base as base
    from taskrun.core.step import decorator as decorator
    from taskrun.core.step import step as step
    from taskrun.core.traits import DecoratorTraits as DecoratorTraits
    from taskrun.core.traits import Traits as Traits
    from taskrun.durable.operations import RunOperations as RunOperations
    from taskrun.manager import TaskManager as TaskManager
    from taskrun.manager import run as run
    from taskrun.manager import run_async as run_async
    from taskrun.result import RequestedInput as RequestedInput
    from taskrun.result import RunResult as RunResult
    from taskrun.result import WaitPoint as WaitPoint
    from taskrun.script.limits import Limits as Limits
    from taskrun.script.script import Script as Script
    from taskrun.script.script import ScriptSettings as ScriptSettings
    from taskrun.script.script import Template as Template
    from taskrun.source import Location as Location
    from taskrun.syntax.node import Node as Node
    from taskrun.tags.context import TagContext as TagContext

__version__ = "0.1.0"

_PLACES = (
    ("taskrun.manager", ("TaskManager", "run", "run_async")),
    ("taskrun.result", ("RequestedInput", "RunResult", "WaitPoint")),
    ("taskrun.durable.operations", ("RunOperations",)),
    ("taskrun.compile.flow_cache", ("FlowCache",)),
    ("taskrun.script.limits", ("Limits",)),
    ("taskrun.core.flow", ("Flow",)),
    ("taskrun.core.step", ("Decorator", "Inner", "Step", "base", "decorator", "step")),
    ("taskrun.core.traits", ("DecoratorTraits", "Traits")),
    ("taskrun.core.completion", ("NEXT", "Completion", "Signal", "completion_of")),
    ("taskrun.core.frame", ("Frame",)),
    ("taskrun.core.run", ("Run",)),
    ("taskrun.core.scope", ("Scope",)),
    ("taskrun.core.body", ("Body",)),
    ("taskrun.core.duration", ("Millis",)),
    (
        "taskrun.core.fields",
        ("AwaitingOwn", "AwaitingScript", "Expr", "FromElement", "OnStep", "Own", "Prefixed", "Text"),
    ),
    ("taskrun.core.link_context", ("LinkContext",)),
    ("taskrun.core.events", ("Event", "Observer")),
    ("taskrun.core.script_language", ("Code", "Language")),
    ("taskrun.calls.context", ("StepContext",)),
    ("taskrun.calls.task_class", ("FunctionTask", "Task", "function_task")),
    ("taskrun.script.script", ("Script", "ScriptSettings", "Template")),
    ("taskrun.source", ("Location",)),
    ("taskrun.syntax.node", ("Node",)),
    ("taskrun.tags.context", ("TagContext",)),
)
"""The public names of the package, by the module that defines them."""


def __getattr__(name: str) -> Any:
    """Import a public name such as ``taskrun.Step`` from its module when it is first used (called by Python)."""
    for module, names in _PLACES:
        if name in names:
            import importlib

            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'taskrun' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return all public names, also those that were not imported yet."""
    return sorted({"__version__", *(name for _, names in _PLACES for name in names)})
