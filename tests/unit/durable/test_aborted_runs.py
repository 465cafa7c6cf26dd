"""Tests of recorded runs that are aborted, claimed by another process, or cancelled in branches, and of their resumes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from crashing import CrashingStore

from taskrun import TaskManager
from taskrun.codec.codec import Codec
from taskrun.core.states import RunState, StepState
from taskrun.durable import heartbeat
from taskrun.durable.journal import Journal
from taskrun.durable.records import Owner
from taskrun.durable.store import Store
from taskrun.errors import DecisionChangedError, FencedError, RunCancelled, StepError, StoreError
from taskrun.stores.memory import MemoryStore
from taskrun.testing import run_virtual

PAY = """<step name="pay"><source>say("pay")</source><revert>say("undo pay")</revert></step>"""


class Place:
    """A folder with flows, a store, and the texts that the flows reported."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.effects: list[str] = []
        self.fails = True
        self.manager = self.another()

    def another(self, **settings: Any) -> TaskManager:
        """Return a TaskManager with the same store, as another process would have it."""
        functions = {"say": self.say, "slow": self.slow, "fail": self.fail, "object": object}
        return TaskManager(store=self.store, functions=functions, **settings)

    def say(self, text: str) -> str:
        """Append a text to the list of reports."""
        self.effects.append(text)
        return text

    async def slow(self) -> None:
        """Sleep for a short time."""
        self.effects.append("slow")
        await asyncio.sleep(2)

    def fail(self) -> None:
        """Raise an error as long as failing is switched on."""
        if self.fails:
            raise ValueError("no")

    def write(self, steps: str, name: str = "f.task.xml", before: str = "", after: str = "") -> str:
        """Write a flow and return its path."""
        path = self.folder / name
        path.write_text(f"<task>{before}<steps>{steps}</steps>{after}</task>")
        return str(path)

    def run(self, path: str, **inputs: Any) -> Any:
        """Run a flow as "r" in virtual time; return its result or the exception that it raised."""
        return self.outcome(lambda: self.manager.run_async(path, inputs, run_id="r"))

    def resume(self, **more: Any) -> Any:
        """Resume the run "r" in another process."""
        return self.outcome(lambda: self.another().resume_async("r", stale_after=-1, **more))

    @staticmethod
    def outcome(work: Callable[[], Awaitable[Any]]) -> Any:
        """Return the value or the exception of a coroutine in virtual time; fails if it never ends."""

        async def limited() -> Any:
            async with asyncio.timeout(1000):
                return await work()

        try:
            return run_virtual(limited())[0]
        except (StepError, StoreError, DecisionChangedError, RunCancelled) as error:
            return error

    def run_until_claimed(self, path: str, *, after: float) -> Any:
        """Run a flow as "r" and claim the run for another process after some seconds; return as ``run`` does."""

        async def work() -> Any:
            running = asyncio.ensure_future(self.manager.run_async(path, run_id="r"))
            await asyncio.sleep(after)
            self.store.claim("r", Owner("elsewhere", 1, "x"), time.time(), -1)
            return await running

        return self.outcome(work)

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self.store.load("r").state


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, MemoryStore())


def sleep(seconds: int) -> str:
    return f'<sleep name="sleep{seconds}" sleepMillisExpr="{seconds}s"/>'


def test_a_retried_library_step_continues_with_its_attempt(tmp_path: Path) -> None:
    """The rollback of an earlier attempt of a library step does not fail the calling step after a resume."""
    for left in range(1, 12):
        store = CrashingStore()
        place = Place(tmp_path, store)
        steps = (
            f'{PAY}<step name="q"><input name="n" value="${{attempt}}"/><source>fail() if n == 1 else 5</source></step>'
        )
        inner = f'<sequential name="net"><retry maxRetryCount="2"/><steps>{steps}</steps></sequential>'
        place.write(inner, "l.task-lib.xml")
        path = place.write('<call-step name="net" libModelPath="l.task-lib.xml" stepName="net"/>')
        store.left = left
        result = place.run(path)
        if store.dead:
            store.left = None
            result = place.resume()
        assert result == {"RESULT": 5}, left


def test_the_rollback_of_a_claimed_run_stops(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback is shielded from cancellation, but stops when another process claims the run."""
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0)
    path = place.write(f'{PAY}<step name="b"><source>1</source><revert>await slow()</revert></step>'
                       '<step name="x"><source>fail()</source></step>')  # fmt: skip

    assert isinstance(place.run_until_claimed(path, after=1), FencedError)
    assert place.effects == ["pay", "slow"]


def test_a_result_that_cannot_be_recorded_fails_the_run(place: Place) -> None:
    """A run whose outputs cannot be recorded is rolled back and fails."""
    path = place.write(PAY, after='<output name="x"><source>object()</source></output>')
    assert "cannot be recorded" in str(place.run(path))
    assert (place.state, place.store.load("r").owner) == (RunState.REVERTED, None)
    assert place.effects == ["pay", "undo pay"]


def test_a_flow_that_does_not_match_aborts_all_branches(place: Place) -> None:
    """After a resume with a wrong flow, no finally or revert runs, and the run can be resumed with its own flow."""
    flow = (
        '<parallel name="p"><steps><sequential name="B"><steps>{pay}{long}</steps><finally>say("finally")</finally>'
        '</sequential><sequential name="A"><steps>{short}<step name="w"><when>{when}</when><source>1</source></step>{wait}'
        "</steps></sequential></steps></parallel>"
    )
    parts = {"pay": PAY, "long": sleep(9), "short": sleep(1), "wait": sleep(5)}
    path = place.write(flow.format(when="False", **parts))
    other = place.write(flow.format(when="True", **parts), "g.task.xml")

    assert isinstance(place.run_until_claimed(path, after=3), FencedError)
    assert isinstance(place.resume(flow=other), DecisionChangedError)
    assert place.effects == ["pay"]
    assert place.resume().status == "SUCCEEDED"
    assert place.effects == ["pay", "finally"]


def test_compensations_of_an_unneeded_branch_do_not_count(place: Place) -> None:
    """The run can be resumed, because its failure came after the branch was rolled back and handled."""
    branches = f'<sequential name="A"><steps>{sleep(1)}</steps></sequential><sequential name="B"><steps>{PAY}{sleep(9)}</steps></sequential>'
    path = place.write(
        f'<parallel name="p" joinType="anySuccess"><steps>{branches}</steps></parallel><step name="x"><source>fail()</source></step>'
    )
    place.run(path)
    assert (place.state, place.effects) == (RunState.FAILED, ["pay", "undo pay"])
    place.fails = False
    assert place.resume().status == "SUCCEEDED"


@pytest.mark.parametrize("other", ["fails first", "is handled later"])
def test_compensations_of_a_failed_join_count(place: Place, other: str) -> None:
    """The run ends as REVERTED if its failure rolled back another branch, even if a third branch handled a failure."""
    if other == "fails first":
        join = "anyFailure"
        branches = (
            f'<sequential name="A"><steps>{sleep(1)}<step name="x"><source>fail()</source></step></steps></sequential>'
        )
        branches += f'<sequential name="B"><steps>{PAY}{sleep(9)}</steps></sequential>'
    else:
        join = "allSuccess"
        branches = (
            f'<sequential name="A"><steps>{PAY}<step name="x"><source>fail()</source></step></steps></sequential>'
        )
        branches += f'<sequential name="B"><steps>{sleep(1)}<step name="y" allowFailure="true"><source>fail()</source></step></steps></sequential>'
    place.run(place.write(f'<parallel name="p" joinType="{join}"><steps>{branches}</steps></parallel>'))
    assert (place.state, place.effects) == (RunState.REVERTED, ["pay", "undo pay"])


def test_a_handled_cancellation_is_not_repeated(place: Place) -> None:
    """A handler catches the cancellation; the stored request does not cancel the run again."""
    steps = f'<sequential name="c" catchInternalException="true"><steps>{sleep(60)}</steps><catch>return 1</catch></sequential>{sleep(3)}'
    path = place.write(steps)

    async def work() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        assert place.manager.cancel("r")
        return await running

    assert place.outcome(work).status == "SUCCEEDED"


def test_a_branch_that_cancels_itself_is_executed_again(place: Place) -> None:
    """A branch that raised CancelledError itself is executed again after a resume, instead of waiting for ever."""

    async def leak() -> None:
        place.effects.append("leak")
        raise asyncio.CancelledError

    place.manager = place.another(beans={"leak": leak})
    path = place.write(
        f'<parallel name="p" joinType="allComplete"><steps><simple name="A" bean="leak"/>{sleep(5)}</steps></parallel>'
    )

    assert isinstance(place.run_until_claimed(path, after=1), FencedError)
    work = lambda: place.another(beans={"leak": leak}).resume_async("r", stale_after=-1)  # noqa: E731
    assert place.outcome(work).status == "SUCCEEDED"
    assert place.effects == ["leak", "leak"]


@pytest.mark.parametrize(
    "steps",
    [
        '<sequential name="c"><input name="pw"/><steps><step name="s"><source>1</source></step></steps></sequential>',
        '<step name="s"><input name="pw"/><source>len(pw)</source><revert>len(pw)</revert></step>',
        (
            '<sequential name="c"><input name="pw"/><steps><step name="s"><input name="pw"/><source>1</source>'
            "<revert>len(pw)</revert></step></steps></sequential>"
        ),
        '<fork-n name="f" countExpr="2"><input name="pw"/><steps><step name="s"><source>1</source></step></steps></fork-n>',
    ],
)
def test_private_inputs_of_inner_steps_are_not_recorded(place: Place, steps: str) -> None:
    """An input that is bound to the variable of its own name is not recorded if that variable is not."""
    path = place.write(steps, before='<input name="pw" persist="false"/>')
    assert place.run(path, pw="open sesame").status == "SUCCEEDED"
    assert "open sesame" not in repr((place.store.load("r"), place.store.records("r")))


def test_a_journal_drops_completed_iterations() -> None:
    """The index of rollbacks has no entries for containers that have ended without compensations."""
    from taskrun.core.journal import StepRecord

    journal = Journal(MemoryStore(), "r", 1)
    for turn in range(5):
        key = f"main/loop[{turn}]/c"
        journal._index(StepRecord(key, state=StepState.RUNNING, inputs="{}"))
        journal._index(StepRecord(key))
    assert journal._inside == {}


def test_threads_open_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thread that needs the store opens it; other threads wait for that."""
    import taskrun.stores.open as opening

    opened: list[Store] = []
    both = threading.Barrier(2, timeout=0.05)
    really = opening.open_store

    def slowly(url: str) -> Store:
        opened.append(really(url))
        with suppress(threading.BrokenBarrierError):  # there is no other thread here, as it should be
            both.wait()
        return opened[-1]

    monkeypatch.setattr(opening, "open_store", slowly)
    manager = TaskManager(store="memory:")
    threads = [threading.Thread(target=lambda: manager.store) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


class FullStore(MemoryStore):
    """A store that can be made to fail like a full disk."""

    full = False

    def write_all(self, writes: Any) -> Any:
        """Write, or raise StoreError if the store is full."""
        if self.full:
            raise StoreError("the disk is full")
        return super().write_all(writes)


def test_resuming_with_a_full_disk(tmp_path: Path) -> None:
    """Resuming raises the StoreError of the store, not RunAborted."""
    store = FullStore()
    place = Place(tmp_path, store)
    assert place.run(place.write('<suspend name="s"/>')).status == "SUSPENDED"
    store.full = True
    assert isinstance(place.resume(), StoreError)
    store.full = False
    assert place.resume().status == "SUCCEEDED"


def test_rerun_with_a_full_disk(tmp_path: Path) -> None:
    """A new run whose inherited records cannot be written is deleted."""
    store = FullStore()
    place = Place(tmp_path, store)
    assert place.run(place.write(f'{PAY}<step name="b"><source>1</source></step>')).status == "SUCCEEDED"
    store.full = True
    result = place.outcome(lambda: place.manager.rerun_async("r", from_step="b", new_id="new"))
    assert isinstance(result, StoreError)
    assert [run.run_id for run in store.runs()] == ["r"]


def test_a_run_that_is_executed_here_is_not_claimed(place: Place) -> None:
    """A second start or resume in the same TaskManager is refused before it claims the run."""
    path = place.write(sleep(5))

    async def work() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        with pytest.raises(ValueError, match="is being executed"):
            await place.manager.resume_async("r", stale_after=-1)
        return await running

    assert place.outcome(work).status == "SUCCEEDED"


def test_misuse(place: Place) -> None:
    """Wrong arguments are refused immediately."""
    path = place.write(PAY)
    with pytest.raises(TypeError, match="neither a Store nor a URL"):
        TaskManager(store=place.folder / "runs.db")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="is no URL"):
        TaskManager(store="").run(path)
    with pytest.raises(TypeError, match="run_id must be a str, not 5"):
        place.manager.run(path, run_id=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two codecs have the same name"):
        TaskManager(codecs=[Codec("a", complex, str, complex), Codec("a", range, str, list)])

    async def inside() -> None:
        with pytest.raises(RuntimeError, match=r"await TaskManager.resume_async"):
            place.manager.resume("r")
        with pytest.raises(RuntimeError, match=r"await TaskManager.rerun_async"):
            place.manager.rerun("r")

    asyncio.run(inside())


def test_closing(place: Place) -> None:
    """A TaskManager closes a store that it opened from a URL, but not a store object that it was given."""
    manager = TaskManager(store="memory:")
    assert manager.runs() == []
    manager.close()
    with pytest.raises(StoreError, match="closed"):
        manager.runs()
    place.run(place.write(PAY))
    place.manager.close()
    assert len(place.store.runs()) == 1
