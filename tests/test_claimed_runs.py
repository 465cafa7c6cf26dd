"""Real processes that execute one run: a stopped one that continues, several that resume, one that cancels, and SIGINT."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forking import KILLS, Child, ForkServer
from racing import race
from watching import Place

from taskrun.core.states import RunState, StepState

RACES = 60

TWO_STEPS = """<task name="two"><beans><bean id="work" class="effects:Work"/></beans>
  <steps>
    <simple name="one" bean="work"/>
    <simple name="two" bean="work"/>
    {last}
  </steps>
</task>"""
MANY = """<task name="many"><beans><bean id="work" class="effects:Work"/></beans>
  <steps>
    <loop-n name="all" beginExpr="1" endExpr="12" varName="n"><steps><simple name="one" bean="work"/></steps></loop-n>
    {last}
  </steps>
</task>"""
RETRIED = """<simple name="never" bean="work"><retry maxRetryCount="9" retryDelay="60s"/><input name="fails" value="${True}"/></simple>"""
FAILS = """<simple name="pay" bean="work"><input name="fails" value="${True}"/></simple>"""
ASKS = """<suspend name="ask"><input name="ok" type="bool" mandatory="true"/></suspend>"""
SUSPENDS = """<suspend name="ask"/>"""
NAPS = """<sleep name="nap" sleepMillisExpr="60000"/>"""


@pytest.fixture
def place(fork_server: ForkServer, tmp_path: Path) -> Iterator[Place]:
    """The folder of a test; its processes are killed afterwards."""
    place = Place(tmp_path, fork_server)
    yield place
    for child in place.started:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()


@pytest.fixture
def begun(place: Place) -> Callable[[str], Child]:
    """Start a flow."""

    def start(text: str) -> Child:
        path = place.folder / "flow.task.xml"
        path.write_text(text, encoding="utf-8")
        return place.start("run", str(path))

    return start


def stop_between_writes(place: Place, child: Child) -> None:
    """Stop a process outside of its transactions: a stopped process keeps its locks."""
    while True:
        os.kill(child.pid, signal.SIGSTOP)
        connection = sqlite3.connect(place.folder / "runs.db", timeout=0.02, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            os.kill(child.pid, signal.SIGCONT)
            time.sleep(0.002)
        else:
            connection.execute("ROLLBACK")
            return
        finally:
            connection.close()


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_a_stopped_process_is_fenced_after_a_claim(place: Place, ended: bool) -> None:
    """A process that continues after SIGSTOP and a claim finishes its step, names the owner, and exits with 3."""
    late = place.start("run", str(KILLS / "loop.task.xml"))
    place.until(lambda: len(place.steps("do")) > 3)
    stop_between_writes(place, late)
    run = place.run().run_id
    while True:
        heir = place.start("resume", run, "--stale-after", "0.3s")
        place.until(lambda heir=heir: heir.poll() is not None or place.effects()[-1].pid == heir.pid)
        if heir.poll() is None:
            break
        assert heir.wait() == 3
        assert f"run {run} is owned by process {late.pid} on " in heir.err
    if ended:
        assert heir.wait() == 0
    had = place.snapshot()
    os.kill(late.pid, signal.SIGCONT)
    assert late.wait() == 3
    by = f"process {heir.pid} on " if not ended else "another process"
    assert f"run {run} was claimed by {by}" in late.err
    assert "Traceback" not in late.err
    assert "resume it with" not in late.err
    assert (heir.wait(), heir.out) == (0, '{"rounds": 3}\n'), heir.err
    since = [effect for effect in place.effects()[had.effects :] if effect.pid == late.pid]
    assert {effect.kind for effect in since} <= {"begin", "do"}
    assert len({effect.step for effect in since}) <= 1, since
    assert place.run().state is RunState.SUCCEEDED


def test_one_of_two_concurrent_resumes_continues_a_suspended_run(place: Place, begun: Callable[[str], Child]) -> None:
    """The error of the other process names the owner."""
    assert begun(TWO_STEPS.format(last=ASKS + NAPS)).wait() == 4
    run = place.run().run_id
    winner = place.start("resume", run, "--input", "ok=true")
    place.until(lambda: place.run().state is RunState.RUNNING)
    late = place.start("resume", run, "--input", "ok=true")
    assert late.wait() == 3, late.err
    assert f"run {run} is owned by process {winner.pid} on " in late.err
    os.kill(winner.pid, signal.SIGINT)
    assert winner.wait() == 130


def test_one_of_several_concurrent_resumes_claims_the_run(tmp_path: Path) -> None:
    """The other processes are refused, with the owner in their messages."""
    winners, problems = race(tmp_path, RACES)
    assert not problems
    assert winners.total() == RACES


@pytest.mark.parametrize("last", [RETRIED, SUSPENDS, NAPS], ids=["retry delay", "suspended", "running"])
def test_cancelled_by_another_process(place: Place, begun: Callable[[str], Child], last: str) -> None:
    """A run in a retry delay, suspended or running is cancelled; each step is compensated once, newest first.

    Each step is compensated once, newest first.
    """
    owner = begun(TWO_STEPS.format(last=last))
    place.until(lambda: len(place.steps("do")) >= 2 + (last is RETRIED))
    if last is SUSPENDS:
        assert owner.wait() == 4
    canceller = place.start("cancel", place.run().run_id)
    assert (canceller.wait(), canceller.out) == (0, f"run {place.run().run_id[:8]} is CANCELLED\n"), canceller.err
    assert owner.wait() == (4 if last is SUSPENDS else 130)
    compensated = place.steps("undo")
    assert compensated == ["main/never"] * (last is RETRIED) + ["main/two", "main/one"]
    assert place.run().state is RunState.CANCELLED


def test_cancelled_during_a_rollback(place: Place, begun: Callable[[str], Child]) -> None:
    """The rollback runs to its end, and no step is compensated twice."""
    owner = begun(MANY.format(last=FAILS))
    place.until(lambda: len(place.steps("undo")) > 3)
    canceller = place.start("cancel", place.run().run_id)
    canceller.wait()
    owner.wait()
    state = place.run().state
    assert state in {RunState.CANCELLED, RunState.REVERTED}
    if state is RunState.CANCELLED:
        assert (canceller.wait(), owner.wait()) == (0, 130)
    else:
        assert (canceller.wait(), owner.wait()) == (1, 1)
    assert place.steps("undo") == ["main/pay", *(f"main/all[{n}]/one" for n in reversed(range(12)))]


@pytest.mark.parametrize("command", ["resume", "cancel"])
def test_the_cancelling_process_is_killed(place: Place, begun: Callable[[str], Child], command: str) -> None:
    """The next process completes the rollback; recorded compensations are not performed again."""
    assert begun(MANY.format(last=SUSPENDS)).wait() == 4
    run = place.run().run_id
    canceller = place.start("cancel", run)
    place.until(lambda: len(place.steps("undo")) > 3)
    os.kill(canceller.pid, signal.SIGKILL)
    canceller.wait()
    had = place.snapshot()
    assert had.run is not None
    assert had.run.state is RunState.REVERTING
    compensated = had.finished(StepState.REVERTED)
    assert 3 <= len(compensated) < 12
    heir = place.start(command, run)
    assert heir.wait() == (0 if command == "cancel" else 130), heir.err
    assert place.run().state is RunState.CANCELLED
    counts = Counter(place.steps("undo"))
    assert len(counts) == 12
    assert all(counts[step] == 1 for step in compensated)
    assert counts.total() <= 13, "one compensation was interrupted by the kill"
    again = place.start("cancel", run)
    assert again.wait() == 1
    assert "cannot be cancelled: it is CANCELLED" in again.err


def test_sigint_during_a_rollback(place: Place, begun: Callable[[str], Child]) -> None:
    """The first SIGINT does not interrupt a rollback."""
    assert begun(MANY.format(last=SUSPENDS)).wait() == 4
    canceller = place.start("cancel", place.run().run_id)
    place.until(lambda: len(place.steps("undo")) > 3)
    os.kill(canceller.pid, signal.SIGINT)
    canceller.wait()
    assert place.run().state is RunState.CANCELLED, canceller.err
    assert canceller.wait() == 0, canceller.err
    assert Counter(place.steps("undo")).total() == 12


def test_sigint_during_a_resumed_run(place: Place) -> None:
    """A cancelled resumed run also compensates the steps of the earlier process."""
    owner = place.start("run", str(KILLS / "cancelled.task.xml"))
    place.until(lambda: len(place.steps("do")) > 5)
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    had = place.snapshot()
    heir = place.start("resume", place.run().run_id)
    place.until(lambda: place.effects()[-1].pid == heir.pid and len(place.steps("do")) > 9)
    os.kill(heir.pid, signal.SIGINT)
    assert heir.wait() == 130
    assert heir.err.startswith("taskrun: cancelled\n")
    assert place.run().state is RunState.CANCELLED
    counts = Counter(place.steps("undo"))
    assert set(place.steps("do")) | had.finished(StepState.SUCCEEDED) & set(place.steps("begin")) <= counts.keys()
    assert set(counts.values()) == {1}


def interrupt(child: Child) -> int:
    """Send SIGINT until the process ends, and return its exit status.

    Python loses a signal that arrives while a finalizer runs, before the command has installed its handler.
    """
    while True:
        os.kill(child.pid, signal.SIGINT)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if (status := child.poll()) is not None:
                return status
            time.sleep(0.01)


def test_sigint_at_any_moment_of_a_resume(place: Place, begun: Callable[[str], Child]) -> None:
    """A SIGINT before the run is resumed leaves the run unchanged, so that it can be resumed."""
    owner = begun(MANY.format(last=NAPS))
    place.until(lambda: len(place.steps("do")) > 1)
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    run = place.run()
    for milliseconds in range(0, 40, 4):
        heir = place.start("resume", run.run_id)
        time.sleep(milliseconds / 1000)
        assert interrupt(heir) == 130, heir.err
        assert "Traceback" not in heir.err
        if place.run().state is not run.state:
            break
        assert not place.steps("undo")
    else:
        assert place.start("cancel", run.run_id).wait() == 0
    assert place.run().state is RunState.CANCELLED
    assert set(place.steps("undo")) >= {"main/all[0]/one"}
