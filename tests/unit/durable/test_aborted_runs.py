"""Recorded runs that are stopped, taken over, cancelled in branches, or resumed after that: nothing is done twice, lost or left."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mortal import MortalStore

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
    """A folder with flows, a store, and what the flows said."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.said: list[str] = []
        self.fails = True
        self.manager = self.another()

    def another(self, **settings: Any) -> TaskManager:
        """Return a TaskManager with the same store, as another process would have it."""
        functions = {"say": self.say, "slow": self.slow, "fail": self.fail, "object": object}
        return TaskManager(store=self.store, functions=functions, **settings)

    def say(self, text: str) -> str:
        """Say something."""
        self.said.append(text)
        return text

    async def slow(self) -> None:
        """Take a while."""
        self.said.append("slow")
        await asyncio.sleep(2)

    def fail(self) -> None:
        """Fail, as long as that is wanted."""
        if self.fails:
            raise ValueError("no")

    def write(self, steps: str, name: str = "f.task.xml", before: str = "", after: str = "") -> str:
        """Write a flow and return its path."""
        path = self.folder / name
        path.write_text(f"<task>{before}<steps>{steps}</steps>{after}</task>")
        return str(path)

    def run(self, path: str, **inputs: Any) -> Any:
        """Run a flow, as "r", in virtual time; return its result or what it raised."""
        return self.outcome(lambda: self.manager.run_async(path, inputs, run_id="r"))

    def resume(self, **more: Any) -> Any:
        """Resume it in another process."""
        return self.outcome(lambda: self.another().resume_async("r", stale_after=-1, **more))

    @staticmethod
    def outcome(work: Callable[[], Awaitable[Any]]) -> Any:
        """Return what something returns, or raises, in virtual time; it must not take for ever."""

        async def limited() -> Any:
            async with asyncio.timeout(1000):
                return await work()

        try:
            return run_virtual(limited())[0]
        except (StepError, StoreError, DecisionChangedError, RunCancelled) as error:
            return error

    def take_over(self) -> None:
        """Let another process own the run."""
        self.store.claim("r", Owner("elsewhere", 1, "x"), time.time(), -1)

    @property
    def state(self) -> RunState:
        """How the run stands."""
        return self.store.load("r").state


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, MemoryStore())


def sleep(seconds: int) -> str:
    return f'<sleep name="sleep{seconds}" sleepMillisExpr="{seconds}s"/>'


def test_a_library_step_that_is_retried_goes_on_with_its_attempt(tmp_path: Path) -> None:
    """The undoing of its first attempt is its own: it does not fail the step that calls it when the run is resumed."""
    for left in range(1, 12):
        store = MortalStore()
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


def test_who_was_taken_over_undoes_nothing_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoing cannot be cancelled, but it stops when it is another's business."""
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0)
    path = place.write(f'{PAY}<step name="b"><source>1</source><revert>await slow()</revert></step>'
                       '<step name="x"><source>fail()</source></step>')  # fmt: skip

    async def work() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        place.take_over()
        return await running

    assert isinstance(place.outcome(work), FencedError)
    assert place.said == ["pay", "slow"]


def test_a_result_that_cannot_be_recorded_fails_the_run(place: Place) -> None:
    """It is not left as one that is at work, and what was done is undone."""
    path = place.write(PAY, after='<output name="x"><source>object()</source></output>')
    assert "cannot be recorded" in str(place.run(path))
    assert (place.state, place.store.load("r").owner) == (RunState.REVERTED, None)
    assert place.said == ["pay", "undo pay"]


def test_a_flow_that_does_not_fit_leaves_other_branches_alone(place: Place) -> None:
    """Neither finally nor revert runs in them, and the run goes on afterwards with its own flow."""
    flow = (
        '<parallel name="p"><steps><sequential name="B"><steps>{pay}{long}</steps><finally>say("finally")</finally>'
        '</sequential><sequential name="A"><steps>{short}<step name="w"><when>{when}</when><source>1</source></step>{wait}'
        "</steps></sequential></steps></parallel>"
    )
    parts = {"pay": PAY, "long": sleep(9), "short": sleep(1), "wait": sleep(5)}
    path = place.write(flow.format(when="False", **parts))
    other = place.write(flow.format(when="True", **parts), "g.task.xml")

    async def dies() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(3)
        place.take_over()
        return await running

    assert isinstance(place.outcome(dies), FencedError)
    assert isinstance(place.resume(flow=other), DecisionChangedError)
    assert place.said == ["pay"]
    assert place.resume().status == "SUCCEEDED"
    assert place.said == ["pay", "finally"]


def test_what_a_lost_branch_has_undone_does_not_count(place: Place) -> None:
    """A later failure has undone nothing, so that the run can be resumed."""
    branches = f'<sequential name="A"><steps>{sleep(1)}</steps></sequential><sequential name="B"><steps>{PAY}{sleep(9)}</steps></sequential>'
    path = place.write(
        f'<parallel name="p" joinType="anySuccess"><steps>{branches}</steps></parallel><step name="x"><source>fail()</source></step>'
    )
    place.run(path)
    assert (place.state, place.said) == (RunState.FAILED, ["pay", "undo pay"])
    place.fails = False
    assert place.resume().status == "SUCCEEDED"


@pytest.mark.parametrize("other", ["fails first", "is held later"])
def test_what_a_failed_join_has_undone_counts(place: Place, other: str) -> None:
    """A failure that has undone another branch is REVERTED; a failure that a third has held changes nothing."""
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
    assert (place.state, place.said) == (RunState.REVERTED, ["pay", "undo pay"])


def test_a_cancellation_that_the_flow_holds_is_over(place: Place) -> None:
    """The note in the store that somebody asked for it does not cancel the run again."""
    steps = f'<sequential name="c" catchInternalException="true"><steps>{sleep(60)}</steps><catch>return 1</catch></sequential>{sleep(3)}'
    path = place.write(steps)

    async def work() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        assert place.manager.cancel("r")
        return await running

    assert place.outcome(work).status == "SUCCEEDED"


def test_a_branch_that_cancels_itself_is_done_again(place: Place) -> None:
    """Nobody would cancel it again when the run is resumed, so that it must not wait for that."""

    async def leak() -> None:
        place.said.append("leak")
        raise asyncio.CancelledError

    place.manager = place.another(beans={"leak": leak})
    path = place.write(
        f'<parallel name="p" joinType="allComplete"><steps><simple name="A" bean="leak"/>{sleep(5)}</steps></parallel>'
    )

    async def dies() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        place.take_over()
        return await running

    place.outcome(dies)
    work = lambda: place.another(beans={"leak": leak}).resume_async("r", stale_after=-1)  # noqa: E731
    assert place.outcome(work).status == "SUCCEEDED"
    assert place.said == ["leak", "leak"]


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
def test_a_secret_stays_one_where_it_is_handed_on(place: Place, steps: str) -> None:
    """An input that takes the variable of its own name is not recorded when that variable is not."""
    path = place.write(steps, before='<input name="pw" persist="false"/>')
    assert place.run(path, pw="open sesame").status == "SUCCEEDED"
    assert "open sesame" not in repr((place.store.load("r"), place.store.records("r")))


def test_a_journal_forgets_where_a_loop_has_been() -> None:
    """Containers with inputs are written at their beginning and their end; nothing is kept of them then."""
    from taskrun.core.journal import StepRecord

    journal = Journal(MemoryStore(), "r", 1)
    for turn in range(5):
        key = f"main/loop[{turn}]/c"
        journal._index(StepRecord(key, state=StepState.RUNNING, inputs="{}"))
        journal._index(StepRecord(key))
    assert journal._inside == {}


def test_threads_open_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever needs it first opens it; the others wait for that."""
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
    """A store that can be full."""

    full = False

    def write_all(self, writes: Any) -> Any:
        """Write unless it is full."""
        if self.full:
            raise StoreError("the disk is full")
        return super().write_all(writes)


def test_resuming_with_a_full_disk(tmp_path: Path) -> None:
    """It is the store's error that is raised, an Exception."""
    store = FullStore()
    place = Place(tmp_path, store)
    assert place.run(place.write('<suspend name="s"/>')).status == "SUSPENDED"
    store.full = True
    assert isinstance(place.resume(), StoreError)
    store.full = False
    assert place.resume().status == "SUCCEEDED"


def test_starting_again_with_a_full_disk(tmp_path: Path) -> None:
    """The new run, whose records could not be taken over, is not left as one that is at work."""
    store = FullStore()
    place = Place(tmp_path, store)
    assert place.run(place.write(f'{PAY}<step name="b"><source>1</source></step>')).status == "SUCCEEDED"
    store.full = True
    result = place.outcome(lambda: place.manager.rerun_async("r", from_step="b", new_id="new"))
    assert isinstance(result, StoreError)
    assert [run.run_id for run in store.runs()] == ["r"]


def test_a_run_that_is_going_on_here_is_not_claimed(place: Place) -> None:
    """Else it would belong to this process, and nobody would work on it."""
    path = place.write(sleep(5))

    async def work() -> Any:
        running = asyncio.ensure_future(place.manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        with pytest.raises(ValueError, match="is being executed"):
            await place.manager.resume_async("r", stale_after=-1)
        return await running

    assert place.outcome(work).status == "SUCCEEDED"


def test_misuse(place: Place) -> None:
    """What cannot work is refused where it is said."""
    path = place.write(PAY)
    with pytest.raises(TypeError, match="neither a Store nor a URL"):
        TaskManager(store=place.folder / "runs.db")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="is no URL"):
        TaskManager(store="").run(path)
    with pytest.raises(TypeError, match="id of a run is text"):
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
    """A store that was opened here is closed, even if it was only looked at; one that was given is not."""
    manager = TaskManager(store="memory:")
    assert manager.runs() == []
    manager.close()
    with pytest.raises(StoreError, match="closed"):
        manager.runs()
    place.run(place.write(PAY))
    place.manager.close()
    assert len(place.store.runs()) == 1
