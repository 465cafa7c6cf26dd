"""A frame: one activation of one step.

Rules: the program is shared by all runs, so everything that changes lives here or in the Run. A frame costs one small
object; its path is put together only when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskrun.core.events import ValueDumped
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
    """The scope, flags and place of a running step; what a step's ``run`` and a decorator's ``around`` get.

    ``index`` is the iteration that a loop is in, or the number of a fork's branch (from 0); ``attempt`` counts from 1;
    ``visits`` counts how often the children of a sequence were entered, once something has jumped. ``compensations``
    is the list of the enclosing container.
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
        """Where this is in the run: ``main/loop[2]/call``, ``main/a~2`` on a second visit, ``main/s#2`` on a retry.

        A retry of a task's root is a level of its own, ``main/#2/a``, since ``main/call#2`` is one of the call.
        """
        if self.parent is None:
            text = self.run.called_from or ROOT
            return f"{text}/#{self.attempt}" if self.attempt > 1 else text
        text = self.parent.path_of(self.step.name, self.visit)
        return f"{text}#{self.attempt}" if self.attempt > 1 else text

    def path_of(self, name: str, visit: int | None = None) -> str:
        """Return the path of the step of that name inside this one, on the given visit (the present one)."""
        text = self.path
        if self.index is not None:
            text += f"[{self.index}]"
        text += f"/{name}"
        if visit is None:
            visit = 1 if self.visits is None else self.visits.get(name, 1)
        return f"{text}~{visit}" if visit > 1 else text

    def part(self, name: str, index: int | None = None) -> str:
        """Return the key of what is recorded of a part of the step: ``main/loop:items``, ``main/loop[2]:while``."""
        text = self.path if index is None else f"{self.path}[{index}]"
        return f"{text}/:{name}" if self.parent is None and self.run.called_from else f"{text}:{name}"

    def recorded(self, part: str, index: int | None = None) -> StepRecord | None:
        """Return the record that an earlier execution of the run left of a part of the step, None without one."""
        journal = self.run.journal
        return journal.recorded(self.part(part, index)) if journal.replays else None

    def remember(self, name: str, make: Callable[[], Any], because: str = "", index: int | None = None) -> Any:
        """Return what ``make`` returns; in a recorded run, what it returned when the run came here first.

        ``name`` tells the parts of a step apart, ``because`` is the text of the script that decides.
        """
        journal = self.run.journal
        return journal.remember(self.part(name, index), make, "decision", because) if journal.records else make()

    @property
    def entered_again(self) -> bool:
        """Whether a resumed run re-enters this step, which had begun and has not ended."""
        journal = self.run.journal
        if not journal.replays:
            return False
        if self.parent is None and self.run.parent is None:
            return True  # the task itself has no record
        record = journal.recorded(self.path)
        return record is not None and record.state in _BEGUN

    def begin_visits(self) -> None:
        """Note that a body begins in this frame, so no child has been visited yet."""
        self.visits = None

    @property
    def at(self) -> Location:
        """The step's place in its file."""
        return self.step.at

    def eval(self, script: Script | Template) -> Any:
        """Evaluate a script in this step's scope and return its value; what it raises comes out unchanged."""
        return script.run(self.scope)

    def call(self, script: Script, **arguments: Any) -> Any:
        """Evaluate a script with further variables, which are gone again afterwards."""
        with self.variables(**arguments):
            return script.run(self.scope)

    @contextmanager
    def variables(self, **arguments: Any) -> Iterator[None]:
        """Set variables of this step for the time of a ``with`` block."""
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
        """Tell the values of those inputs or outputs that carry ``dump``."""
        for item in parts:
            if item.dump and item.name in values:
                self.run.emit(ValueDumped(self.run.run_id, self.path, kind, item.name, values[item.name]))

    def branch(self, index: int) -> Frame:
        """Return a frame for one of several concurrent bodies of this step, with a scope of its own below it."""
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
