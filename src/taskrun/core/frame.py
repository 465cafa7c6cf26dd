"""Frame: one activation of one step.

Rules: the program is shared by all runs, so all mutable state of an execution is in its frames and its Run. A path is
computed only when it is read, because most activations never need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskrun.core.scope import Scope
from taskrun.core.states import StepState
from taskrun.source import Location

if TYPE_CHECKING:
    from taskrun.core.inputs import Input
    from taskrun.core.journal import StepRecord
    from taskrun.core.outputs import Output
    from taskrun.core.rollback import Compensation
    from taskrun.core.run import Run
    from taskrun.core.step import Step
    from taskrun.script.script import Script, Template

ROOT = "main"
_BEGUN = frozenset({StepState.RUNNING, StepState.SUSPENDED})
_new_frame = object.__new__
_new_scope = dict.__new__


class Frame:
    """State of one activation of a step, passed to ``Step.run`` and ``Decorator.around``.

    ``index`` is the number of the loop iteration or of the branch, from 0; ``attempt`` and ``visit`` count from 1;
    ``visits`` are the visits of the children, None until one of them has jumped. ``compensations`` is the list of the
    enclosing container, ``executor`` the name of the executor for functions, None for the event loop.
    """

    __slots__ = (
        "attempt",
        "compensations",
        "executor",
        "flags",
        "index",
        "parent",
        "run",
        "scope",
        "step",
        "visit",
        "visits",
    )

    def __init__(self, run: Run, parent: Frame | None, step: Step, scope: Scope) -> None:
        self.run: Run = run
        self.parent: Frame | None = parent
        self.step: Step = step
        self.scope: Scope = scope
        self.index: int | None = None
        self.attempt: int = 1
        self.visit: int = 1
        self.visits: dict[str, int] | None = None
        if parent is None:
            self.flags: frozenset[str] = run.flags
            self.executor: str | None = None
            self.compensations: list[Compensation] = run.compensations
        else:
            self.compensations = parent.compensations
            self.flags = parent.flags
            self.executor = parent.executor
            if parent.visits is not None:
                self.visit = parent.visits.get(step.name, 1)

    @property
    def path(self) -> str:
        """The position in the run: ``main/loop[2]/call``; on a second visit ``main/a~2``, in attempt 2 ``main/s#2``.

        An attempt of a task's root step is an additional level, ``main/#2/a``, since ``main/call#2`` is an attempt of
        the call.
        """
        if self.parent is None:
            text = self.run.called_from or ROOT
            return f"{text}/#{self.attempt}" if self.attempt > 1 else text
        text = self.parent.path_of(self.step.name, self.visit)
        return f"{text}#{self.attempt}" if self.attempt > 1 else text

    def path_of(self, name: str, visit: int | None = None) -> str:
        """Return the path of a child step by its name; ``visit`` is its number, None for the present one."""
        text = self.path
        if self.index is not None:
            text += f"[{self.index}]"
        text += f"/{name}"
        if visit is None:
            visit = 1 if self.visits is None else self.visits.get(name, 1)
        return f"{text}~{visit}" if visit > 1 else text

    def part_key(self, name: str, index: int | None = None) -> str:
        """Return the key of the record of a part of the step: ``main/loop:items``, ``main/loop[2]:while``."""
        text = self.path if index is None else f"{self.path}[{index}]"
        return f"{text}/:{name}" if self.parent is None and self.run.called_from else f"{text}:{name}"

    def recorded(self, part: str, index: int | None = None) -> StepRecord | None:
        """Return the record of a part of the step from an earlier execution of the run, None if there is none."""
        journal = self.run.journal
        return journal.recorded(self.part_key(part, index)) if journal.replays else None

    def remember(self, name: str, make: Callable[[], Any], because: str = "", index: int | None = None) -> Any:
        """Return the value of a decision: the recorded value in a replay, else the result of ``make()``, now recorded.

        Parameters: ``name`` and ``index`` identify the decision in the step, ``because`` is the text of the script that
        makes it.
        """
        journal = self.run.journal
        return journal.remember(self.part_key(name, index), make, "decision", because) if journal.records else make()

    @property
    def re_entered(self) -> bool:
        """Whether the run was resumed while it was inside this step, so that the step begins a second time."""
        journal = self.run.journal
        if not journal.replays:
            return False
        if self.parent is None and self.run.parent is None:
            return True  # the root step has no record
        record = journal.recorded(self.path)
        return record is not None and record.state in _BEGUN

    def begin_visits(self) -> None:
        """Reset the visits of the children, because a body begins in this frame."""
        self.visits = None

    @property
    def at(self) -> Location:
        """The location of the step in its file."""
        return self.step.at

    def eval(self, script: Script | Template) -> Any:
        """Evaluate a script in this step's scope and return its value; its exceptions are raised unchanged."""
        return script.run(self.scope)

    def call(self, script: Script, **arguments: Any) -> Any:
        """Evaluate a script with additional variables, which exist only during the evaluation."""
        with self.variables(**arguments):
            return script.run(self.scope)

    @contextmanager
    def variables(self, **arguments: Any) -> Iterator[None]:
        """Set variables in this step's scope during a ``with`` block, and restore the previous ones afterwards."""
        scope = self.scope
        hidden = {name: scope[name] for name in arguments if name in scope}
        scope.update(arguments)
        try:
            yield
        finally:
            for name in arguments:
                scope.pop(name, None)
            scope.update(hidden)

    def dump(self, kind: str, parts: Iterable[Input | Output], values: Mapping[str, Any]) -> None:
        """Report the values of inputs or outputs with the attribute ``dump``; ``kind`` is ``input`` or ``output``."""
        for item in parts:
            if item.dump and item.name in values:
                from taskrun.core.events import ValueDumped

                self.run.emit(ValueDumped(self.run.run_id, self.path, kind, item.name, values[item.name]))

    def branch(self, index: int) -> Frame:
        """Return a frame for one branch of this step; its scope is a child of the step's scope."""
        frame: Frame = _new_frame(Frame)
        frame.run = self.run
        frame.parent = self.parent
        frame.step = self.step
        scope = frame.scope = _new_scope(Scope)
        scope.parent = self.scope
        frame.index = index
        frame.visits = None
        frame.visit = self.visit
        frame.attempt = self.attempt
        frame.flags = self.flags
        frame.executor = self.executor
        frame.compensations = self.compensations
        return frame
