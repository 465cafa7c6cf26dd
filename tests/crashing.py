"""Simulation of a process that dies after a given commit: a store that refuses further writes, and steps without effect.

Rules: a dead process has no effects, so ``World.effect`` does nothing after the death of the store. Only the commits
before remain, as on a disk.
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


class CrashingStore(MemoryStore):
    """A store whose process dies after ``left`` more commits, or never if that is None."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None
        self.commits = 0

    @property
    def dead(self) -> bool:
        """Whether the process is dead."""
        return self.left is not None and self.left <= 0

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        """Commit; raises StoreError if the process is dead."""
        if self.dead:
            raise StoreError("the process is dead")
        if self.left is not None:
            self.left -= 1
        self.commits += 1
        return super().write_all(writes)


class World:
    """The state outside the process: the store, and the effects of steps."""

    def __init__(self, worlds: Worlds, answers: dict[str, Any]) -> None:
        self.store = CrashingStore()
        self.effects: list[str] = []
        self.answers = answers
        self._worlds = worlds

    def effect(self, name: str) -> int:
        """Record an effect unless the process is dead; return a number that depends on its name."""
        if not self.store.dead:
            self.effects.append(name)
        return sum(map(ord, name))

    def live(self, path: str, deaths: Sequence[int]) -> str:
        """Run a flow to its end in several processes, which die after ``deaths`` commits; return its outcome as text."""
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
        """Execute a call of the TaskManager in the simulated process."""
        try:
            run_virtual(work(self._worlds.manager))
        except (StepError, StoreError):
            assert not self.store.load("r").state.active or self.store.dead


class Worlds:
    """Creates worlds that share a TaskManager, so that flows are compiled once, but nothing else."""

    def __init__(self) -> None:
        self.current: World | None = None
        self.manager = TaskManager(store=_Present(self), functions={"effect": self._effect})  # type: ignore[arg-type]

    def _effect(self, name: str) -> int:
        assert self.current is not None
        return self.current.effect(name)


class _Present:
    """Proxy of the store of the current world."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

    def __getattr__(self, name: str) -> Any:
        assert self._worlds.current is not None
        return getattr(self._worlds.current.store, name)
