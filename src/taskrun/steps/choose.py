"""<choose>: take the branch whose ``match`` is the decider's value.

    <choose name="by-size">
      <decider>'big' if n > 100 else 'small'</decider>
      <case match="big" to="report"><steps>…</steps></case>
      <case match="small"><steps>…</steps></case>
      <otherwise><steps>…</steps></otherwise>
    </choose>

The value is compared as text (true and false in small letters); null and the empty text count as ``default``. Without a
matching case and without ``otherwise`` nothing is done. ``to`` names the sibling of the choose to go on with afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from taskrun.core.completion import NEXT, Completion, Signal, jump_to
from taskrun.core.frame import Frame
from taskrun.core.step import Step, base, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic
from taskrun.script.script import Script
from taskrun.steps.sequence import Sequence

DEFAULT = "default"


@base
class Branch(Sequence):
    """A branch of a choose: a sequence in the choose's own scope."""

    use_parent_scope: bool | None = True
    to: str | None = None


@step("case")
class Case(Branch):
    """The branch for one value."""

    match: str


@step("otherwise")
class Otherwise(Branch):
    """The branch for every other value."""


def _after(branch: Branch, done: Completion) -> Completion:
    """Return the completion of the choose whose branch completed as ``done``."""
    to = branch.to
    if to is None or done.signal is not Signal.NEXT or done.target:
        return done
    return jump_to(to, done.outputs)


class ChooseTraits(Traits):
    """The traits of ``<choose>``: its branches jump."""

    __slots__ = ()

    def jumps(self, step: Choose) -> Iterator[tuple[Step, str | None]]:
        """Yield each branch with the sibling of the step that it jumps to."""
        for branch in (*step.case, *filter(None, (step.otherwise,))):
            yield branch, branch.to


@step("choose")
class Choose(Step):
    """One of several branches."""

    traits: ClassVar[Traits] = ChooseTraits(may_suspend=False, marks_handled=True)

    decider: Script
    case: tuple[Case, ...] = ()
    otherwise: Otherwise | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the decider and run the branch that matches."""
        program = self._branch(self.decision(frame))
        return NEXT if program is None else _after(program.model, await program.run(frame))

    def decision(self, frame: Frame) -> str:
        """Return the decider's value as the text that ``match`` is compared with; a recorded run remembers it."""
        wanted: str = frame.remember("decider", lambda: self._decided(frame), self.decider.text)
        return wanted

    def _branch(self, wanted: str) -> Any:
        """Return the program of the branch for the decider's value, None when there is none."""
        cases: tuple[Any, ...] = self.case
        return next((case for case in cases if case.model.match == wanted), self.otherwise)

    def _decided(self, frame: Frame) -> str:
        value = self.decider.run(frame.scope)
        wanted = str(value).lower() if isinstance(value, bool) else str(value)
        return DEFAULT if value is None or not wanted else wanted

    def analyze(self) -> Iterable[Diagnostic]:
        """A value has one case."""
        seen: set[str] = set()
        for case in self.case:
            if case.match in seen:
                yield case.node.problem("doubled", f"a second case for '{case.match}'", attribute="match")
            seen.add(case.match)
