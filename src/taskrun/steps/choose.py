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

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from taskrun.core.completion import NEXT, Completion, Signal, jump_to
from taskrun.core.frame import Frame
from taskrun.core.step import Step, base, step
from taskrun.errors import Diagnostic
from taskrun.script.script import Script
from taskrun.steps.sequence import Sequence

DEFAULT = "default"


@base
class Branch(Sequence):
    """A branch of a choose: a sequence in the choose's own scope."""

    use_parent_scope: bool | None = True
    to: str | None = None

    @property
    def model(self) -> Self:
        """The branch itself, without its decorators."""
        return self


@step("case")
class Case(Branch):
    """The branch for one value."""

    match: str


@step("otherwise")
class Otherwise(Branch):
    """The branch for every other value."""


def _went_on(branch: Branch, done: Completion) -> Completion:
    """Return how the choose ends when its branch ended so."""
    to = branch.model.to
    if to is None or done.signal is not Signal.NEXT or done.target:
        return done
    return jump_to(to, done.outputs)


@step("choose")
class Choose(Step):
    """One of several branches."""

    marks_handled = True

    decider: Script
    case: tuple[Case, ...] = ()
    otherwise: Otherwise | None = None

    async def run(self, frame: Frame) -> Completion:
        """Ask the decider and run the branch that matches."""
        branch = self._taken(frame)
        return NEXT if branch is None else _went_on(branch, await branch.run(frame))

    @property
    def now(self) -> Callable[[Frame], Completion] | None:
        """The same without a coroutine, where no branch needs one."""
        branches: list[Any] = list(self.children())
        jumps = any(branch.model.to for branch in branches)  # back and forth without end, and without a pause
        return None if jumps or any(branch.now is None for branch in branches) else self._run_now

    def _run_now(self, frame: Frame) -> Completion:
        branch: Any = self._taken(frame)
        return NEXT if branch is None else branch.now(frame)

    def _taken(self, frame: Frame) -> Branch | None:
        """Return the branch for the decider's value."""
        wanted = frame.remember("decider", lambda: self._decided(frame), self.decider.text)
        for case in self.case:
            if case.model.match == wanted:
                return case
        return self.otherwise

    def _decided(self, frame: Frame) -> str:
        value = self.decider.run(frame.scope)
        wanted = str(value).lower() if isinstance(value, bool) else str(value)
        return DEFAULT if value is None or not wanted else wanted

    @property
    def may_suspend(self) -> bool:
        """Whether one of the branches may."""
        return any(child.may_suspend for child in self.children())

    def jumps_of_parts(self) -> Iterator[tuple[Step, str | None]]:
        """Where each branch goes on."""
        for branch in (*self.case, *filter(None, (self.otherwise,))):
            yield branch, branch.to

    def analyze(self) -> Iterable[Diagnostic]:
        """A value has one case."""
        seen: set[str] = set()
        for case in self.case:
            if case.match in seen:
                yield case.node.problem("doubled", f"a second case for '{case.match}'", attribute="match")
            seen.add(case.match)
