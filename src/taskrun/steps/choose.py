"""<choose>: run the branch whose ``match`` equals the value of a script, the decider.

    <choose name="by-size">
      <decider>'big' if n > 100 else 'small'</decider>
      <case match="big" to="report"><steps>…</steps></case>
      <case match="small"><steps>…</steps></case>
      <otherwise><steps>…</steps></otherwise>
    </choose>

Rules: the value is compared as text (true and false in small letters); null and the empty text count as ``default``.
Without a matching case and without ``otherwise`` no step is run. ``to`` names the sibling of the choose that runs next.
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
    """Base class of the branches of ``<choose>``: a sequence in the scope of the choose."""

    use_parent_scope: bool | None = True
    to: str | None = None


@step("case")
class Case(Branch):
    """Branch ``<case>`` of a choose: runs for one value of the decider."""

    match: str


@step("otherwise")
class Otherwise(Branch):
    """Branch ``<otherwise>`` of a choose: runs for all other values of the decider."""


def _with_jump(branch: Branch, done: Completion) -> Completion:
    """Return the completion of the choose: that of its branch (``done``), with the jump of the branch."""
    to = branch.to
    if to is None or done.signal is not Signal.NEXT or done.target:
        return done
    return jump_to(to, done.outputs)


class ChooseTraits(Traits):
    """Traits of ``<choose>``: its branches may jump to siblings of the choose."""

    __slots__ = ()

    def jumps(self, step: Choose) -> Iterator[tuple[Step, str | None]]:
        """Yield each branch with the name of the sibling that it jumps to."""
        for branch in (*step.case, *filter(None, (step.otherwise,))):
            yield branch, branch.to


@step("choose")
class Choose(Step):
    """Step ``<choose>``: runs the branch that the value of a script, the decider, selects."""

    traits: ClassVar[Traits] = ChooseTraits(may_suspend=False, marks_handled=True)

    decider: Script
    case: tuple[Case, ...] = ()
    otherwise: Otherwise | None = None

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the decider and run the branch that matches."""
        program = self._branch(self.decision(frame))
        return NEXT if program is None else _with_jump(program.model, await program.run(frame))

    def decision(self, frame: Frame) -> str:
        """Return the value of the decider as the text to compare with ``match``; it is a decision of a recorded run."""
        wanted: str = frame.remember("decider", lambda: self._evaluate_decider(frame), self.decider.text)
        return wanted

    def _branch(self, wanted: str) -> Any:
        """Return the program of the branch for a value of the decider, None if there is none."""
        cases: tuple[Any, ...] = self.case
        return next((case for case in cases if case.model.match == wanted), self.otherwise)

    def _evaluate_decider(self, frame: Frame) -> str:
        """Evaluate the decider and return its value as text."""
        value = self.decider.run(frame.scope)
        wanted = str(value).lower() if isinstance(value, bool) else str(value)
        return DEFAULT if value is None or not wanted else wanted

    def analyze(self) -> Iterable[Diagnostic]:
        """Check that no two cases have the same ``match``."""
        seen: set[str] = set()
        for case in self.case:
            if case.match in seen:
                yield case.node.problem("doubled", f"a second case for '{case.match}'", attribute="match")
            seen.add(case.match)
