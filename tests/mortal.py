"""A process that dies after any record, without a process: a store that stops taking records, and effects that stop too.

Rules: what a dead process does has no effects, so ``World.effect`` does nothing once the store has died. What the
store had committed by then is all that is left, as on a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from taskrun import TaskManager
from taskrun.core.states import RunState
from taskrun.durable.store import Write
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

    def __init__(self, worlds: Worlds, answers: dict[str, Any]) -> None:
        self.store = MortalStore()
        self.effects: list[str] = []
        self.answers = answers
        self._worlds = worlds

    def effect(self, name: str) -> int:
        """Do something outside of the flow, unless the process is dead; return a number that stands for the name."""
        if not self.store.dead:
            self.effects.append(name)
        return sum(map(ord, name))

    def live(self, path: str, deaths: Sequence[int]) -> str:
        """Run a flow to its end, in as many processes as it takes, each dying after so many commits; say how it ended."""
        self._worlds.current = self
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
        """Let a process do something."""
        try:
            run_virtual(work(self._worlds.manager))
        except (StepError, StoreError):
            assert not self.store.load("r").state.active or self.store.dead


class Worlds:
    """Many worlds with the same flows, which are compiled once: a process keeps nothing else of the one before it."""

    def __init__(self) -> None:
        self.current: World | None = None
        self.manager = TaskManager(store=_Present(self), functions={"effect": self._effect})  # type: ignore[arg-type]

    def _effect(self, name: str) -> int:
        assert self.current is not None
        return self.current.effect(name)


class _Present:
    """The store of the present world."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

    def __getattr__(self, name: str) -> Any:
        assert self._worlds.current is not None
        return getattr(self._worlds.current.store, name)
