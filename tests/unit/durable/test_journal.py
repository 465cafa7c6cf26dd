"""Tests of records and their states, and of the journal and its commit groups."""

# ruff: noqa: D102  # the one method here is that of its base class

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence

import pytest

from taskrun.core.journal import ErrorRecord, StepRecord
from taskrun.core.states import TRANSITIONS, RunState, StepState
from taskrun.durable.commit_groups import NOTE_SECONDS, CommitGroup, CommitGroups
from taskrun.durable.error_records import record_error
from taskrun.durable.journal import Journal
from taskrun.durable.records import Owner, RunRecord
from taskrun.durable.store import Write
from taskrun.errors import FencedError, StoreError
from taskrun.stores.memory import MemoryStore


class Watched(MemoryStore):
    """A store that counts transactions and can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions: list[list[tuple[str, list[str]]]] = []
        self.problem: StoreError | None = None
        for run_id in ("r", "r2"):
            self.create(RunRecord(run_id=run_id, flow="f", state=RunState.RUNNING))

    def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
        if self.problem:
            raise self.problem
        self.transactions.append([(one.run_id, [record.key for record in one.records]) for one in writes])
        return super().write_all(writes)


def keys(store: MemoryStore, run_id: str = "r") -> list[str]:
    """Return the keys of the committed records."""
    return [record.key for record in store.records(run_id)]


def test_writes_of_one_loop_iteration_share_a_transaction() -> None:
    async def run() -> None:
        store = Watched()
        journal = Journal(store, "r", 1)

        async def step(name: str) -> None:
            await journal.save(StepRecord(name))
            assert name in keys(store), "committed when save returns"
            await journal.save(StepRecord(name + "!"))

        await asyncio.gather(*map(step, "abc"))
        assert store.transactions == [[("r", ["a", "b", "c"])], [("r", ["a!", "b!", "c!"])]]
        journal.flush()
        assert len(store.transactions) == 2, "nothing was left"

    asyncio.run(run())


def test_runs_share_a_transaction() -> None:
    async def run() -> None:
        store = Watched()
        group = CommitGroup(store)
        journals = [Journal(store, run_id, 1, group=group) for run_id in ("r", "r2")]
        await asyncio.gather(*(journal.save(StepRecord(name)) for name in "ab" for journal in journals))
        assert store.transactions == [[("r", ["a", "b"]), ("r2", ["a", "b"])]]

    asyncio.run(run())


def test_changes_are_written_in_order() -> None:
    """Changes of the state are written in the order of the calls, even within one iteration of the event loop."""

    async def run() -> None:
        store = Watched()
        journal = Journal(store, "r", 1)
        await asyncio.gather(
            journal.save(StepRecord("a")),
            journal.change({"state": RunState.REVERTING}),
            journal.save(StepRecord("b")),
            journal.change({"state": RunState.REVERTED}),
        )
        assert store.transactions == [[("r", ["a"]), ("r", ["b"])]]
        assert store.load("r").state is RunState.REVERTED

    asyncio.run(run())


def test_a_flush_commits_at_once() -> None:
    async def run() -> None:
        store = Watched()
        journal = Journal(store, "r", 1)
        waiting = asyncio.ensure_future(journal.save(StepRecord("a")))
        await asyncio.sleep(0)
        journal.flush()
        assert keys(store) == ["a"]
        await waiting
        await asyncio.sleep(0)
        assert len(store.transactions) == 1

    asyncio.run(run())


def test_a_record_can_be_saved_without_the_loop() -> None:
    store = Watched()
    journal = Journal(store, "r", 1)
    journal.save_now(StepRecord("a"))

    async def run() -> None:
        waiting = asyncio.ensure_future(journal.save(StepRecord("b")))
        await asyncio.sleep(0)
        journal.save_now(StepRecord("c"))
        assert store.transactions == [[("r", ["a"])], [("r", ["b", "c"])]]
        await waiting

    asyncio.run(run())
    store.problem = StoreError("the disk is full")
    for record in (StepRecord("d"), StepRecord("e")):
        with pytest.raises(StoreError, match="the disk is full"):
            journal.save_now(record)
        store.problem = None
    other = Journal(store, "r2", 7)
    with pytest.raises(FencedError):
        other.save_now(StepRecord("a"))
    assert type(other.problem) is FencedError
    assert keys(store) == ["a", "b", "c"]


def test_a_cancelled_waiter_does_not_lose_its_record() -> None:
    async def run() -> None:
        store = Watched()
        journal = Journal(store, "r", 1)
        waiting = [asyncio.ensure_future(journal.save(StepRecord(name))) for name in "ab"]
        asyncio.get_running_loop().call_soon(waiting[0].cancel)
        assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [
            asyncio.CancelledError,
            type(None),
        ]
        assert keys(store) == ["a", "b"]

    asyncio.run(run())


def test_a_failed_transaction_fails_all_waiters_and_later_writes() -> None:
    async def run() -> None:
        store = Watched()
        journal = Journal(store, "r", 1)
        store.problem = StoreError("the disk is full", "make room")
        done = await asyncio.gather(*(journal.save(StepRecord(name)) for name in "ab"), return_exceptions=True)
        assert done == [store.problem] * 2
        store.problem = None
        for late in (journal.save(StepRecord("c")), journal.change({"outputs": "1"})):
            with pytest.raises(StoreError, match=r"the disk is full\n    hint: make room"):
                await late
        with pytest.raises(StoreError, match="the disk is full"):
            journal.flush()
        assert keys(store) == []

    asyncio.run(run())


def test_a_fenced_run_does_not_affect_others() -> None:
    async def run() -> None:
        store = Watched()
        group = CommitGroup(store)
        mine, other = (Journal(store, run_id, 1, group=group) for run_id in ("r", "r2"))
        store.claim("r", Owner.here(), 1, 0)
        done = await asyncio.gather(
            mine.save(StepRecord("a")),
            other.save(StepRecord("a")),
            mine.change({"outputs": "1"}),
            mine.save(StepRecord("b")),
            return_exceptions=True,
        )
        assert [type(one) for one in done] == [FencedError, type(None), FencedError, FencedError]
        assert mine.problem is done[0]
        await other.save(StepRecord("b"))
        assert (keys(store), keys(store, "r2")) == ([], ["a", "b"])

    asyncio.run(run())


def test_earlier_records_are_replayed() -> None:
    journal = Journal(MemoryStore(), "r", 1, [StepRecord("a", outputs="1")])
    assert journal.recorded("a") == StepRecord("a", outputs="1")
    assert journal.recorded("b") is None


def test_states() -> None:
    """Every state has an entry in TRANSITIONS, and a state without successors is final."""
    assert set(TRANSITIONS) == set(RunState)
    over = {state for state in RunState if not TRANSITIONS[state]}
    assert over == {RunState.SUCCEEDED, RunState.REVERTED, RunState.CANCELLED}
    assert [state.value for state in RunState if state.active] == ["CREATED", "RUNNING", "REVERTING"]
    assert not RunState.SUSPENDED.ended
    assert RunState.FAILED.ended
    assert not RunState.RUNNING.ended


def test_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Owner.here()
    assert mine != Owner.here()
    assert not mine.is_dead
    assert str(mine) == f"process {os.getpid()} on {socket.gethostname()}"
    assert not Owner("elsewhere", 2**22 + 1, "x").is_dead
    assert Owner(mine.host, 2**22 + 1, "x").is_dead
    assert Owner(mine.host, 2**99, "x").is_dead

    def not_ours(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_ours)
    assert not Owner(mine.host, 1, "x").is_dead


class Silent(Exception):
    """An exception whose ``__str__`` raises."""

    def __str__(self) -> str:
        raise RuntimeError


def test_errors_are_recorded_completely() -> None:
    def fail() -> None:
        try:
            {}["k"]
        except KeyError as error:
            error.add_note("in step a")
            raise ValueError("bad") from error

    try:
        fail()
    except ValueError as error:
        record = record_error(error)
    assert (record.kind, record.message, str(record)) == ("builtins.ValueError", "bad", "ValueError: bad")
    assert 'raise ValueError("bad")' in record.traceback
    assert record.cause is not None
    assert (record.cause.message, record.cause.notes) == ("'k'", ("in step a",))
    assert ErrorRecord.from_json(record.as_json()) == record


def test_errors_that_are_hard_to_record() -> None:
    """Groups, contexts, cycles of causes and exceptions without text are recorded."""
    loop, other = ValueError("1"), ValueError("2")
    loop.__cause__, other.__cause__ = other, loop
    group = ExceptionGroup("both", [loop, Silent()])
    group.__context__ = OSError("context")
    record = record_error(group)
    assert [member.message for member in record.group] == ["1", "<no text: its __str__ raised RuntimeError>"]
    assert record.group[0].cause is not None
    assert record.group[0].cause.cause is None
    assert record.cause is not None
    assert record.cause.message == "context"
    group.__suppress_context__ = True
    assert record_error(group).cause is None
    assert ErrorRecord.from_json(record.as_json()) == record


def test_a_note_is_committed_with_the_next_record() -> None:
    async def run() -> None:
        store = Watched()
        group = CommitGroup(store)
        journal, other = (Journal(store, run_id, 1, group=group) for run_id in ("r", "r2"))
        journal.note(StepRecord("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert store.transactions == [], "a note alone waits"
        journal.note(StepRecord("b"))
        await other.save(StepRecord("x"))
        assert store.transactions == [[("r", ["a", "b"]), ("r2", ["x"])]]
        journal.note(StepRecord("c"))
        waiting = asyncio.ensure_future(journal.save(StepRecord("d")))
        await asyncio.sleep(0)
        journal.note(StepRecord("e"))
        await waiting
        journal.note(StepRecord("f"))
        await journal.change({"state": RunState.REVERTING})
        journal.note(StepRecord("g"))
        journal.save_now(StepRecord("h"))
        journal.note(StepRecord("i"))
        journal.flush()
        assert store.transactions[1:] == [[("r", ["c", "d", "e"])], [("r", ["f"])], [("r", ["g", "h"])], [("r", ["i"])]]
        assert keys(store) == list("abcdefghi")

    asyncio.run(run())


def test_a_note_is_committed_by_itself_in_time() -> None:
    """A note is committed within NOTE_SECONDS; a commit in between cancels the timer."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        times: list[float] = []
        call_later = loop.call_later

        def noticed(delay: float, *args: object) -> asyncio.TimerHandle:
            times.append(delay)
            return call_later(0, *args)  # type: ignore[arg-type]

        loop.call_later = noticed  # type: ignore[method-assign, assignment]
        store = Watched()
        journal = Journal(store, "r", 1)
        journal.note(StepRecord("a"))
        journal.note(StepRecord("b"))
        for _ in range(3):
            await asyncio.sleep(0)
        assert store.transactions == [[("r", ["a", "b"])]]
        journal.note(StepRecord("c"))
        journal.flush()
        journal.note(StepRecord("d"))
        assert times == [NOTE_SECONDS] * 3
        store.problem = StoreError("the disk is full")
        for _ in range(3):
            await asyncio.sleep(0)
        assert journal.problem is store.problem, "the next write fails although no waiter received the error"
        for call in (lambda: journal.note(StepRecord("e")), lambda: journal.save_now(StepRecord("e")), journal.flush):
            with pytest.raises(StoreError, match="the disk is full"):
                call()
        assert keys(store) == ["a", "b", "c"]

    asyncio.run(run())


def test_records_inside_a_step() -> None:
    """``inside`` returns the records that a rollback needs, replayed and new, in the order of their last writes."""
    undo = {"kind": "undo"}
    known = [
        StepRecord("main/a", inputs="{}"),
        StepRecord("main/a/b", inputs="{}"),
        StepRecord("main/a/none"),
        StepRecord("main/a[1]/b", inputs="1"),
        StepRecord("main/ab/c", inputs="{}"),
        StepRecord("main/a/u", **undo),  # type: ignore[arg-type]
    ]

    async def run() -> None:
        store = Watched()
        journal = Journal(store, "r", 1, known)
        paths = lambda path: [record.key for record in journal.inside(path)]  # noqa: E731
        assert paths("main/a") == ["main/a/b", "main/a[1]/b", "main/a/u"]
        assert paths("main") == ["main/a", "main/a/b", "main/a[1]/b", "main/ab/c", "main/a/u"]
        await journal.save(StepRecord("main/a/b", inputs="new"))
        journal.note(StepRecord("main/a/c", inputs="{}"))
        journal.save_now(StepRecord("main/a/d", inputs="{}"))
        assert paths("main/a") == ["main/a[1]/b", "main/a/u", "main/a/b", "main/a/c", "main/a/d"]
        assert journal.inside("main/a")[2].inputs == "new"
        await journal.save(StepRecord("main/a/c", state=StepState.REVERTED))
        assert paths("main/a") == ["main/a[1]/b", "main/a/u", "main/a/b", "main/a/d"], "its last record has no inputs"
        assert (paths("main/a/b"), paths("other")) == ([], [])
        known_record = journal.recorded("main/a/b")
        assert known_record is not None
        assert known_record.inputs == "{}", "what was there when the run was started again"

    asyncio.run(run())


def test_a_journal_is_alone_in_its_group() -> None:
    async def run() -> None:
        store = Watched()
        groups = CommitGroups(store)
        group = groups.here()
        assert groups.here() is group
        first = Journal(store, "r", 1, group=group)
        assert group.alone
        second = Journal(store, "r2", 1, group=group)
        assert not group.alone
        first.note(StepRecord("a"))
        first.close()
        first.close()
        assert keys(store) == ["a"], "nothing noted is left behind"
        assert group.alone
        second.close()
        assert group.alone
        assert len(store.transactions) == 1

    asyncio.run(run())


def test_each_loop_has_its_group() -> None:
    groups = CommitGroups(Watched())

    async def here() -> CommitGroup:
        return groups.here()

    first, second = asyncio.run(here()), asyncio.run(here())
    assert first is not second
    assert first.store is second.store


def test_a_buggy_store_does_not_block_waiters() -> None:
    class Buggy(MemoryStore):
        def write_all(self, writes: Sequence[Write]) -> list[StoreError | None]:
            raise ZeroDivisionError

    async def run() -> None:
        journal = Journal(Buggy(), "r", 1)
        with pytest.raises(StoreError, match="the store failed: ZeroDivisionError") as caught:
            await journal.save(StepRecord("a"))
        assert type(caught.value.__cause__) is ZeroDivisionError
        with pytest.raises(StoreError, match="the store failed: ZeroDivisionError"):
            Journal(Buggy(), "r", 1).save_now(StepRecord("a"))

    asyncio.run(run())
