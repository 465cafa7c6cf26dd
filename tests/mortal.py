"""A process that dies after any record, without a process: a store that stops taking records, and effects that stop too.

Rules: what a dead process does has no effects, so ``World.effect`` does nothing once the store has died. What the
store had committed by then is all that is left, as on a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from taskrun import TaskManager
from taskrun.core.records import RunState
from taskrun.core.store import Write
from taskrun.errors import StepError, StoreError
from taskrun.stores.memory import MemoryStore
from taskrun.testing import run_virtual


class MortalStore(MemoryStore):
    """A store whose process dies when it has committed so many times more."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None
        self.commits = 0

    @property
    def dead(self) -> bool:
        """Whether the process is dead."""
        return self.left is not None and self.left <= 0

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Commit, unless the process is dead."""
        if self.dead:
            raise StoreError("the process is dead")
        if self.left is not None:
            self.left -= 1
        self.commits += 1
        return super().write_all(writes)


class World:
    """What is outside of the process: the store, and the effects of steps."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.store = MortalStore()
        self.effects: list[str] = []
        self.answers = answers

    def effect(self, name: str) -> int:
        """Do something outside of the flow, unless the process is dead; return a number that stands for the name."""
        if not self.store.dead:
            self.effects.append(name)
        return sum(map(ord, name))

    def process(self, work: Callable[[TaskManager], Any]) -> Any:
        """Let a new process do something."""
        manager = TaskManager(store=self.store, functions={"effect": self.effect}, flags=())
        outcome, _ = run_virtual(work(manager))
        return outcome

    def live(self, path: str, deaths: Sequence[int]) -> str:
        """Run a flow to its end, in as many processes as it takes, each dying after so many commits; say how it ended."""
        lives = iter((*deaths, None))
        self.store.left = next(lives)
        self._try(lambda manager: manager.run_async(path, run_id="r"))
        while True:
            if self.store.dead:
                self.store.left = next(lives)
            run = self.store.load("r")
            if run.state.active:
                self._try(lambda manager: manager.resume_async("r", stale_after=-1))
            elif run.state is RunState.SUSPENDED:
                self._try(lambda manager: manager.resume_async("r", self.answers, stale_after=-1))
            else:
                error = run.error and f"{run.error.kind}: {run.error.message}"
                return f"{run.state} {run.outputs} {error}"

    def _try(self, work: Callable[[TaskManager], Any]) -> None:
        try:
            self.process(work)
        except (StepError, StoreError):
            assert not self.store.load("r").state.active or self.store.dead
