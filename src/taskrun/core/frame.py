"""Frame: one activation of one step.

Rules: all runs of a flow share its program, so what changes during a run is in the frames and in the Run. A path is
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

    ``index`` is the number of the loop iteration or branch, from 0; None outside of loops and branches. ``attempt`` and
    ``visit`` count from 1. ``visits`` counts the visits of each step in the body; it is None until a step has jumped.
    ``compensations`` is the list of the enclosing container, to which this step adds its compensation. ``executor``
    names what runs the functions of the step; None means the event loop.
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
        """The position of the step in the run: ``main/loop[2]/call``.

        A second visit of a step is ``main/a~2``, a second attempt is ``main/s#2``. For the root step of a called task
        the attempt is a level of its own: ``main/call/#2/a``, because ``main/call#2`` is the second attempt of the
        calling step.
        """
        if self.parent is None:
            text = self.run.called_from or ROOT
            return f"{text}/#{self.attempt}" if self.attempt > 1 else text
        text = self.parent.path_of(self.step.name, self.visit)
        return f"{text}#{self.attempt}" if self.attempt > 1 else text

    def path_of(self, name: str, visit: int | None = None) -> str:
        """Return the path of the child step of that name.

        ``visit`` is the number of its visit, None for the current one.
        """
        text = self.path
        if self.index is not None:
            text += f"[{self.index}]"
        text += f"/{name}"
        if visit is None:
            visit = 1 if self.visits is None else self.visits.get(name, 1)
        return f"{text}~{visit}" if visit > 1 else text

    def part_key(self, name: str, index: int | None = None) -> str:
        """Return the key of the record for a part of the step, such as ``main/loop:items``.

        With ``index``, the part belongs to one iteration: ``main/loop[2]:while``.
        """
        text = self.path if index is None else f"{self.path}[{index}]"
        return f"{text}/:{name}" if self.parent is None and self.run.called_from else f"{text}:{name}"

    def recorded(self, part: str, index: int | None = None) -> StepRecord | None:
        """Return the record of a part of the step from before the run was resumed, None if there is none."""
        journal = self.run.journal
        return journal.recorded(self.part_key(part, index)) if journal.replays else None

    def remember(self, name: str, make: Callable[[], Any], because: str = "", index: int | None = None) -> Any:
        """Return the value of a decision: in a replay the recorded one; otherwise call ``make()`` and record its value.

        ``name`` and ``index`` identify the decision within the step. ``because`` is the text of the script that
        decides; a message shows it if a resumed run decides otherwise. A run that is not recorded only calls
        ``make()``.
        """
        journal = self.run.journal
        return journal.remember(self.part_key(name, index), make, "decision", because) if journal.records else make()

    @property
    def re_entered(self) -> bool:
        """Whether the run was suspended or interrupted inside this step, which now begins a second time."""
        journal = self.run.journal
        if not journal.replays:
            return False
        if self.parent is None and self.run.parent is None:
            return True  # the root step has no record
        record = journal.recorded(self.path)
        return record is not None and record.state in _BEGUN

    def begin_visits(self) -> None:
        """Start counting visits anew.

        A body calls it at its begin, because one frame may run its body several times.
        """
        self.visits = None

    @property
    def at(self) -> Location:
        """The location of the step in its file."""
        return self.step.at

    def eval(self, script: Script | Template) -> Any:
        """Evaluate a script in this step's scope and return its value; its exceptions are raised unchanged."""
        return script.run(self.scope)

    def call(self, script: Script, **arguments: Any) -> Any:
        """Evaluate a script with additional variables, given by keyword, which exist only during the evaluation."""
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
        """Report an event ValueDumped for each input or output that has the attribute ``dump``.

        ``kind`` is ``input`` or ``output``, ``parts`` are the declarations, ``values`` the values by name.
        """
        for item in parts:
            if item.dump and item.name in values:
                from taskrun.core.events import ValueDumped

                self.run.emit(ValueDumped(self.run.run_id, self.path, kind, item.name, values[item.name]))

    def branch(self, index: int) -> Frame:
        """Return a frame for one iteration or branch of the step; its scope is a new child of the step's scope."""
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
