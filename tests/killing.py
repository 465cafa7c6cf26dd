"""Trials of crash safety: kill the processes of a run at random moments until the run has ended, and check its effects.

    with FreshProcesses(KILLS) as processes:
        trial = Trial(SCENARIOS["loop"], seed=7, place=Place(folder, processes))
        trial.go()                                   # AssertionError names the broken rule
        print(Counter(trial.kills))                  # the number of kills by phase

Rules: after each kill, the effects since then are compared with the records at that time: a recorded step must not be
executed again. The error of a failed trial has its seed and its history. The seed determines the commands and the waiting
times, but not how far a process gets in that time.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from forking import KILLS, Child
from watching import Effect, Place, Snapshot

from taskrun.core.control import CANCEL
from taskrun.core.states import RunState, StepState

MOST_LIVES = 60
SLOW = 30.0
"""The seconds after which a process counts as one that does not end."""


class Scenario(NamedTuple):
    """A flow and its final state.

    ``again`` are further arguments of resume; ``cancelled`` is true if another process cancels the run.
    """

    flow: str
    state: RunState = RunState.SUCCEEDED
    again: tuple[str, ...] = ()
    cancelled: bool = False
    life: float = 0.15
    """The longest time in seconds between the first effect of a process and its kill."""


SCENARIOS = {
    scenario.flow: scenario
    for scenario in (
        Scenario("loop"),
        Scenario("branches"),
        Scenario("retries"),
        Scenario("reverted", RunState.REVERTED, life=0.1),
        Scenario("cancelled", RunState.CANCELLED, cancelled=True, life=0.06),
        Scenario("suspended", again=("--input", "ok=true")),
        Scenario("called"),
    )
}


_NEVER_AGAIN = (("begin", StepState.SUCCEEDED), ("do", StepState.SUCCEEDED), ("undo", StepState.REVERTED))


@dataclass
class Trial:
    """One run that is resumed in new processes until it has ended; at most ``most_kills`` of them are killed."""

    scenario: Scenario
    seed: int
    place: Place
    most_kills: int = 12
    kills: list[str] = field(default_factory=list)
    """The phase of each kill."""
    history: list[str] = field(default_factory=list)
    """The history of the trial, for the message of its failure."""

    def __post_init__(self) -> None:
        self._dice = random.Random(f"{self.scenario.flow} {self.seed}")
        self._snapshots: list[Snapshot] = []

    def go(self) -> None:
        """Execute, kill and resume the run until it has ended; raises AssertionError if a rule is broken."""
        try:
            self._check_end(self._live_to_the_end())
        except AssertionError as error:
            for child in self.place.started:
                if child.poll() is None:
                    os.kill(child.pid, signal.SIGKILL)
                    child.wait()
            text = "\n".join(self.history)
            raise AssertionError(
                f"{self.scenario.flow}, seed {self.seed}, {self.place.folder}: {error}\n{text}"
            ) from error

    def _live_to_the_end(self) -> Snapshot:
        """Start processes until the run has the state of the scenario; return the last snapshot."""
        for _ in range(MOST_LIVES):
            self._live()
            now = self._look()
            if now.run is not None and now.run.state is self.scenario.state:
                return now
        raise AssertionError("the run does not end")

    def _live(self) -> None:
        """Start a process that executes the run, perhaps another one that cancels it, and kill some of them."""
        owner = self._start(*self._words())
        living = [owner]
        if self.scenario.cancelled and self._dice.random() < 0.8:
            self._let_run(owner, self._dice.uniform(0, 0.4))
            if self._look().run is not None:
                living.append(self._start("cancel", self._run_id()))
        for victim in self._dice.sample(living, self._dice.choice([1, len(living)])):
            self._let_run(victim, self._dice.uniform(0, self.scenario.life))
            if len(self.kills) < self.most_kills and victim.poll() is None:
                self._kill(victim)
        if self.scenario.cancelled and owner.poll() is None and CANCEL not in self._look().requests:
            self._kill(owner)  # the process that cancels was killed before it stored the request
        deadline = time.monotonic() + SLOW
        while any(one.poll() is None for one in living):
            assert time.monotonic() < deadline, f"a process does not end: {[one.pid for one in living]}"
            time.sleep(0.01)
        for one in living:
            lines = one.err.strip().splitlines()
            self.history.append(f"  {one.pid} ended with {one.wait()}: {' | '.join(lines[:3])}")
            assert one.wait() in {0, 1, 3, 4, 130, -signal.SIGKILL}, one.err
            assert "Traceback" not in one.err, one.err

    def _words(self) -> list[str]:
        """Return the arguments of the next command."""
        last = self._snapshots[-1] if self._snapshots else None
        if last is None or last.run is None:
            return ["run", str(KILLS / f"{self.scenario.flow}.task.xml"), "--events", "events"]
        if self.scenario.cancelled and (self._dice.random() < 0.5 or len(self.kills) >= self.most_kills):
            return ["cancel", self._run_id()]
        again = self.scenario.again if last.run.state is RunState.SUSPENDED else ()
        return ["resume", self._run_id(), *again, "--events", "events"]

    def _run_id(self) -> str:
        run = self._snapshots[-1].run
        assert run is not None
        return run.run_id

    def _start(self, *words: str) -> Child:
        (self.place.folder / "events").unlink(missing_ok=True)
        child = self.place.start(*words)
        self.history.append(f"  {child.pid}: {' '.join(words)}")
        return child

    def _let_run(self, child: Child, seconds: float) -> None:
        """Wait for the first effect of a process (if it cancels, for its first compensation), and ``seconds`` more."""
        before = self.place.effects()
        events = self.place.folder / "events"
        cancels = "cancel" in self.history[-1].split()
        patience = time.monotonic() + self._dice.uniform(0, 0.6 if cancels else 0.1) + self.place.processes.takes
        while child.poll() is None and time.monotonic() < patience:
            since = self.place.effects()[len(before) :]
            if any(one.kind == "undo" or not cancels for one in since):
                break
            if not cancels and events.exists() and events.stat().st_size:
                break
            time.sleep(0.004)
        time.sleep(seconds)

    def _kill(self, child: Child) -> None:
        os.kill(child.pid, signal.SIGKILL)
        status = child.wait()
        now = self._look()
        phase = now.phase() if status == -signal.SIGKILL else None
        if phase is not None:
            self.kills.append(phase)
        self.history.append(f"  {child.pid} killed ({phase or 'not active'}) after {now.effects} effects")

    def _look(self) -> Snapshot:
        """Take a snapshot and check that no step is executed again that an earlier snapshot has as recorded."""
        now = self.place.snapshot()
        self._snapshots.append(now)
        effects = self.place.effects()
        for before in self._snapshots[:-1]:
            for kind, state in _NEVER_AGAIN:
                again = {one.step for one in effects[before.effects :] if one.kind == kind} & before.finished(state)
                assert not again, f"{kind} again although it was recorded: {again}"
        return now

    def _check_end(self, end: Snapshot) -> None:
        effects = self.place.effects()
        assert len(effects) == end.effects, "a process continues after the end of the run"
        for child in self.place.started:
            try:
                os.killpg(child.pid, 0)
            except ProcessLookupError:
                continue
            raise AssertionError(f"a child of process {child.pid} still runs")
        owners = [one.pid for n, one in enumerate(effects) if n == 0 or effects[n - 1].pid != one.pid]
        assert len(owners) == len(set(owners)), f"two processes executed the run at the same time: {owners}"
        twice = [one for one, count in Counter(effects).items() if count > 1]
        assert not twice, f"one process did something twice: {twice}"
        self._check_compensations(effects, end)

    def _check_compensations(self, effects: list[Effect], end: Snapshot) -> None:
        """Check that all effects of a rolled back run are undone, and that no effect is undone that had not begun."""
        last = {one.step: one.kind for one in effects if one.kind != "begin"}
        begun = {one.step for one in effects if one.kind == "begin"}
        assert last.keys() <= begun, f"compensated and never begun: {last.keys() - begun}"
        if self.scenario.state is RunState.SUCCEEDED:
            return
        left = {step for step, kind in last.items() if kind == "do"}
        if self.scenario.cancelled:  # a step during a kill is not recorded, and not executed again
            by = {one.step: one.pid for one in effects if one.kind == "do"}
            dead = {child.pid for child in self.place.started if child.wait() == -signal.SIGKILL}
            left -= {step for step in left - end.finished(StepState.SUCCEEDED) if by[step] in dead}
        assert not left, f"not compensated: {left}"

    def check_same(self, other: Trial) -> None:
        """Raise AssertionError if another run of the same flow has another outcome or other effects."""
        mine, wanted = self._outcome(), other._outcome()
        assert mine == wanted, f"{self.scenario.flow}, seed {self.seed}: {mine} instead of {wanted}\n" + "\n".join(
            self.history
        )

    def _outcome(self) -> tuple[object, ...]:
        """Return the state, outputs and error of the run, and the last effect of each step."""
        run = self.place.run()
        error = run.error and run.error.message
        left = {one.step: one.kind for one in self.place.effects() if one.kind != "begin"}
        return run.state, run.outputs, error, left
