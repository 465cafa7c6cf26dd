"""<choose>: run the branch whose ``match`` equals the value of a script, the decider.

    <choose name="by-size">
      <decider>'big' if n > 100 else 'small'</decider>
      <case match="big" to="report"><steps>…</steps></case>
      <case match="small"><steps>…</steps></case>
      <otherwise><steps>…</steps></otherwise>
    </choose>

Rules: the value of the decider is converted to text: a boolean to ``true`` or ``false``, null and the empty text to
``default``. If no case matches, ``otherwise`` runs; without it no step is run. After a branch with ``to``, the flow
jumps to the step of this name, a sibling of the choose.
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
    """Base class of ``<case>`` and ``<otherwise>``: runs steps in order; ``to`` names the step that follows the choose.

    Exactly one branch runs. Its scope is below that of the choose, so that it sees the variables of the choose.
    """

    use_parent_scope: bool | None = True
    to: str | None = None


@step("case")
class Case(Branch):
    """Branch ``<case match="…">`` of a choose: runs if the value of the decider equals ``match``."""

    match: str


@step("otherwise")
class Otherwise(Branch):
    """Branch ``<otherwise>`` of a choose: runs if no case matches the value of the decider."""


def _with_jump(branch: Branch, done: Completion) -> Completion:
    """Return ``done``, the completion of a branch, with a jump to the step in ``to`` of the branch, if there is one.

    If the branch ended with another signal or target of its own, ``done`` is returned unchanged.
    """
    to = branch.to
    if to is None or done.signal is not Signal.NEXT or done.target:
        return done
    return jump_to(to, done.outputs)


class ChooseTraits(Traits):
    """Traits of ``<choose>``: its branches may jump to siblings of the choose."""

    __slots__ = ()

    def jumps(self, step: Choose) -> Iterator[tuple[Step, str | None]]:
        """Yield each branch with its ``to``, the name of the sibling to which it jumps; None if it does not jump."""
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
        """Evaluate the decider and run the branch that matches; complete without outputs if there is none."""
        program = self._branch(self.decision(frame))
        return NEXT if program is None else _with_jump(program.model, await program.run(frame))

    def decision(self, frame: Frame) -> str:
        """Return the value of the decider as the text to compare with ``match``.

        In a recorded run it is a decision: a resumed run uses the recorded text instead of evaluating the decider.
        """
        wanted: str = frame.remember("decider", lambda: self._evaluate_decider(frame), self.decider.text)
        return wanted

    def _branch(self, wanted: str) -> Any:
        """Return the program of the branch for ``wanted``, the text of the decider; None if there is none."""
        cases: tuple[Any, ...] = self.case
        return next((case for case in cases if case.model.match == wanted), self.otherwise)

    def _evaluate_decider(self, frame: Frame) -> str:
        """Evaluate the decider and return its value as the text to compare with ``match``."""
        value = self.decider.run(frame.scope)
        wanted = str(value).lower() if isinstance(value, bool) else str(value)
        return DEFAULT if value is None or not wanted else wanted

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield a diagnostic for each case with the same ``match`` as an earlier one."""
        seen: set[str] = set()
        for case in self.case:
            if case.match in seen:
                yield case.node.problem("doubled", f"a second case for '{case.match}'", attribute="match")
            seen.add(case.match)
