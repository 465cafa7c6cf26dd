"""Conformance tests for stores: derive a class from ``StoreConformance`` that opens your store.

    class TestMine(StoreConformance):
        def open(self, folder): return MyStore(folder / "mine")

``reopen`` returns a second store over the same data while the first is open, or None if the store does not support that.
"""

# ruff: noqa: D102  # the names of the tests describe them

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskrun.core.completion import Signal
from taskrun.core.journal import ErrorRecord, StepRecord
from taskrun.core.states import TRANSITIONS, RunState, StepState
from taskrun.durable.records import Owner, RunRecord
from taskrun.durable.store import Store, Write
from taskrun.errors import FencedError, RunOwnedError, StoreError, TransitionError, UnknownRunError

ELSEWHERE = Owner("elsewhere.example", 7, "aaaa")
LONG = "ж𝄞\ud800\x00" * 1_000_000
FAR = 1e12


def a_run(run_id: str = "r1", **settings: object) -> RunRecord:
    """Return the record of a run whose owner is on another host."""
    values = {"flow": "main", "state": RunState.RUNNING, "owner": ELSEWHERE, "created": 100.0, "heartbeat": 100.0}
    return RunRecord(run_id=run_id, **(values | settings))  # type: ignore[arg-type]


FULL_RUN = a_run(
    "röm-\u4e2d",
    flow="naïve",
    version="1.2",
    path="/tmp/\udcff/x.task.xml",
    parent="other",
    parent_step="main/call",
    started=101.5,
    ended=None,
    text="<task>\n\ud800 \x00 ü</task>",
    flags=frozenset({"a", "ü"}),
    inputs='{"x":1}',
    waits_for='{"for":"approval"}',
    error=ErrorRecord("ValueError", "bad \ud800", "tb", ("n",), ErrorRecord("K", "c"), (ErrorRecord("G", "m"),)),
)
FULL_STEP = StepRecord(
    "main/a\udc00[3]~2#1",
    "decision",
    StepState.FAILED,
    3,
    ("x", "ÿ", "\ud801"),
    '{"RESULT":"☃"}',
    Signal.EXIT,
    "näxt",
    FULL_RUN.error,
    "why \x00 not",
    1.25,
    2.5,
    '{"x":"\ud800ü"}',
)


class StoreConformance:
    """Tests that every store must pass."""

    def open(self, folder: Path) -> Store:
        """Return a new store in a folder."""
        raise NotImplementedError

    def reopen(self, folder: Path) -> Store | None:
        """Return a second store over the same data as ``open``, None if that is impossible."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """A new store, closed after the test."""
        store = self.open(tmp_path)
        yield store
        store.close()

    def test_a_run_survives_a_round_trip(self, store: Store) -> None:
        for run in (a_run(), FULL_RUN, RunRecord(run_id="bare", flow="")):
            store.create(run)
            assert store.load(run.run_id) == run

    def test_a_step_survives_a_round_trip(self, store: Store) -> None:
        store.create(a_run())
        store.write("r1", 1, [FULL_STEP, StepRecord("plain")])
        assert store.records("r1") == [FULL_STEP, StepRecord("plain")]

    @pytest.mark.parametrize("state", StepState)
    @pytest.mark.parametrize("signal", Signal)
    def test_states_and_signals(self, store: Store, state: StepState, signal: Signal) -> None:
        store.create(a_run())
        record = StepRecord("a", state=state, signal=signal)
        store.write("r1", 1, [record])
        (found,) = store.records("r1")
        assert found == record
        assert type(found.state) is StepState

    def test_duplicate_ids_are_refused(self, store: Store) -> None:
        store.create(a_run(text="first"))
        with pytest.raises(StoreError, match="there is a run r1 already"):
            store.create(a_run(text="second"))
        assert store.load("r1").text == "first"

    def test_unknown_runs(self, store: Store) -> None:
        store.create(a_run())
        for call in (
            lambda: store.load("r2"),
            lambda: store.records("r2"),
            lambda: store.claim("r2", ELSEWHERE, 1, 1),
            lambda: store.request("r2", "cancel"),
            lambda: store.requests("r2"),
            lambda: store.delete("r2"),
        ):
            with pytest.raises(UnknownRunError, match="no run r2"):
                call()

    def test_records_are_in_the_order_of_the_last_writes(self, store: Store) -> None:
        store.create(a_run())
        for index in range(20):
            store.write("r1", 1, [StepRecord(f"s{index}", outputs=str(index))])
        store.write("r1", 1, [StepRecord("s3", outputs="new"), StepRecord("a"), StepRecord("s19")])
        keys = [f"s{index}" for index in range(20) if index not in {3, 19}]
        assert [record.key for record in store.records("r1")] == [*keys, "s3", "a", "s19"]
        assert store.records("r1")[-3].outputs == "new"

    def test_the_newest_record_of_a_key_replaces_the_older(self, store: Store) -> None:
        store.create(a_run())
        store.write("r1", 1, [StepRecord("a", attempt=1), StepRecord("b"), StepRecord("a", attempt=2)])
        assert [(one.key, one.attempt) for one in store.records("r1")] == [("b", 1), ("a", 2)]

    def test_runs_do_not_mix(self, store: Store) -> None:
        store.create(a_run("r1"))
        store.create(a_run("r2"))
        store.write("r1", 1, [StepRecord("a", outputs="1")])
        store.write("r2", 1, [StepRecord("a", outputs="2")])
        assert [one.outputs for one in store.records("r1") + store.records("r2")] == ["1", "2"]

    def test_older_and_newer_epochs_are_fenced(self, store: Store) -> None:
        store.create(a_run())
        assert store.claim("r1", Owner.here(), FAR, 10) == 2
        for epoch in (1, 3, 0):
            for records in ([], [StepRecord("a")], [StepRecord("a"), StepRecord("b")], [StepRecord("a", outputs=LONG)]):
                for changes in (None, {"outputs": "1"}):
                    with pytest.raises(FencedError, match="was claimed by"):
                        store.write("r1", epoch, records, changes)
            with pytest.raises(FencedError, match=rf"was claimed by process {os.getpid()} on .* \(its epoch is 2 now"):
                store.heartbeat("r1", epoch, FAR)
        assert store.records("r1") == []
        assert store.load("r1").outputs is None
        store.write("r1", 2, [StepRecord("a")])

    def test_a_deleted_run_is_fenced(self, store: Store) -> None:
        store.create(a_run())
        store.delete("r1")
        for records in ([], [StepRecord("a")], [StepRecord("a"), StepRecord("b")]):
            with pytest.raises(FencedError, match="deleted"):
                store.write("r1", 1, records)
        with pytest.raises(FencedError, match="deleted"):
            store.heartbeat("r1", 1, 1)

    def test_a_fenced_write_does_not_affect_others(self, store: Store) -> None:
        for run_id in ("r1", "r2", "r3"):
            store.create(a_run(run_id))
        store.claim("r2", Owner.here(), FAR, 10)
        done = store.write_all(
            [
                Write("r1", 1, [StepRecord("a")]),
                Write("r2", 1, [StepRecord("a"), StepRecord("b")], {"outputs": "2"}),
                Write("gone", 1, [StepRecord("a")]),
                Write("r3", 1, [StepRecord("a")], {"state": RunState.CREATED}),
                Write("r3", 1, [StepRecord("c")], {"state": RunState.SUCCEEDED}),
            ]
        )
        assert list(map(type, done)) == [type(None), FencedError, FencedError, TransitionError, type(None)]
        assert [len(store.records(run_id)) for run_id in ("r1", "r2", "r3")] == [1, 0, 1]
        assert store.load("r2").outputs is None
        assert store.load("r3").state is RunState.SUCCEEDED

    def test_nothing_to_write(self, store: Store) -> None:
        store.create(a_run())
        store.write("r1", 1)
        assert store.write_all([]) == []

    @pytest.mark.parametrize("before", RunState)
    def test_transitions(self, store: Store, before: RunState) -> None:
        for after in RunState:
            run_id = f"{before}-{after}"
            store.create(a_run(run_id, state=before))
            if after is before or after in TRANSITIONS[before]:
                store.write(run_id, 1, [StepRecord("a")], {"state": after})
                assert store.load(run_id).state is after
                assert len(store.records(run_id)) == 1
                assert store.load(run_id).owner == (ELSEWHERE if after.active else None)
            else:
                with pytest.raises(TransitionError, match=f"is {before} and cannot become {after}"):
                    store.write(run_id, 1, [StepRecord("a")], {"state": after, "outputs": "1"})
                assert store.load(run_id).state is before
                assert store.load(run_id).outputs is None
                assert store.records(run_id) == []

    def test_changes(self, store: Store) -> None:
        store.create(a_run())
        store.write(
            "r1",
            1,
            [],
            {
                "version": "9",
                "path": "p\udcff",
                "text": "ne\ud800w",
                "flags": frozenset({"f"}),
                "inputs": '{"y":2}',
                "outputs": '{"z":3}',
                "waits_for": "{}",
                "error": FULL_RUN.error,
                "started": 5.5,
                "ended": 6.5,
            },
        )
        run = store.load("r1")
        expected = a_run(
            version="9", path="p\udcff", text="ne\ud800w", flags=frozenset({"f"}), inputs='{"y":2}', outputs='{"z":3}',
            waits_for="{}", error=FULL_RUN.error, started=5.5, ended=6.5,
        )  # fmt: skip
        assert run == expected
        store.write("r1", 1, [], {"error": None, "waits_for": None, "ended": None, "owner": None})
        assert store.load("r1").owner is None
        assert store.load("r1").error is None

    def test_a_claim_needs_a_dead_or_silent_owner(self, store: Store) -> None:
        store.create(a_run())
        with pytest.raises(RunOwnedError, match=r"process 7 on elsewhere\.example"):
            store.claim("r1", Owner.here(), 105, 5)
        mine = Owner.here()
        assert store.claim("r1", mine, 105.5, 5) == 2
        run = store.load("r1")
        assert (run.owner, run.epoch, run.heartbeat, run.state) == (mine, 2, 105.5, RunState.RUNNING)
        with pytest.raises(RunOwnedError, match=f"process {mine.pid} on"):
            store.claim("r1", ELSEWHERE, 106, 5)
        store.heartbeat("r1", 2, 200)
        with pytest.raises(RunOwnedError):
            store.claim("r1", ELSEWHERE, 205, 5)
        store.write("r1", 2, [], {"owner": None})
        assert store.claim("r1", ELSEWHERE, 205, 5) == 3

    def test_a_run_without_heartbeat_ages_from_its_creation(self, store: Store) -> None:
        store.create(a_run(heartbeat=None))
        with pytest.raises(RunOwnedError):
            store.claim("r1", Owner.here(), 105, 5)
        assert store.claim("r1", Owner.here(), 106, 5) == 2

    @pytest.mark.parametrize("state", RunState)
    def test_an_ended_run_cannot_be_claimed(self, store: Store, state: RunState) -> None:
        store.create(a_run(state=state, owner=None))
        if TRANSITIONS[state]:
            assert store.claim("r1", ELSEWHERE, 1, 1) == 2
            with pytest.raises(RunOwnedError):
                store.claim("r1", Owner.here(), 1, 1)
        else:
            with pytest.raises(TransitionError, match=f"is over: it is {state}"):
                store.claim("r1", ELSEWHERE, 1, 1)

    def test_requests(self, store: Store) -> None:
        store.create(a_run())
        store.create(a_run("r2"))
        for kind in ("suspend", "cancel", "suspend"):
            store.request("r1", kind)
        assert store.requests("r1") == ("suspend", "cancel")
        assert store.requests("r2") == ()
        store.write("r1", 1, [], {"state": RunState.REVERTING})
        assert store.requests("r1") == ("suspend", "cancel")
        store.write("r1", 1, [], {"state": RunState.CANCELLED})
        assert store.requests("r1") == ()

    def test_lists_are_newest_first(self, store: Store) -> None:
        for index, created in enumerate((5.0, 9.0, 7.0, 7.0)):
            state = RunState.FAILED if index % 2 else RunState.RUNNING
            store.create(a_run(f"r{index}", created=created, flow=f"ф{index // 2}", state=state))
        ids = lambda **asked: [run.run_id for run in store.runs(**asked)]  # noqa: E731
        assert ids() == ["r1", "r3", "r2", "r0"]
        assert ids(limit=2) == ["r1", "r3"]
        assert ids(limit=0) == []
        assert ids(state=RunState.FAILED) == ["r1", "r3"]
        assert ids(flow="ф1") == ["r3", "r2"]
        assert ids(since=7.0) == ["r1", "r3", "r2"]
        assert ids(since=7.0, state=RunState.RUNNING, flow="ф1", limit=5) == ["r2"]
        assert ids(flow="none") == []
        assert not hasattr(store.runs()[0], "text")

    def test_delete_includes_the_called_runs(self, store: Store) -> None:
        for run_id, parent in (("a", None), ("b", "a"), ("c", "b"), ("d", None)):
            store.create(a_run(run_id, parent=parent))
            store.write(run_id, 1, [StepRecord("s")])
        store.delete("a")
        assert [run.run_id for run in store.runs()] == ["d"]
        store.create(a_run("a"))
        assert store.records("a") == []

    def test_purge(self, store: Store) -> None:
        for run_id, state, ended, parent in (
            ("old", RunState.SUCCEEDED, 10.0, None),
            ("called", RunState.SUCCEEDED, 90.0, "old"),
            ("failed", RunState.FAILED, 10.0, None),
            ("new", RunState.SUCCEEDED, 50.0, None),
            ("called-by-new", RunState.SUCCEEDED, 10.0, "new"),
            ("orphan", RunState.REVERTED, 10.0, "was purged"),
            ("suspended", RunState.SUSPENDED, 10.0, None),
            ("running", RunState.RUNNING, None, None),
            ("again", RunState.RUNNING, 10.0, None),
        ):
            store.create(a_run(run_id, state=state, ended=ended, parent=parent, text=run_id))
        assert store.purge(50.0) == 4
        left = {"new", "called-by-new", "suspended", "running", "again"}
        assert {run.run_id for run in store.runs()} == left
        assert [store.load(run_id).text for run_id in left] == list(left)
        assert store.purge(50.0) == 0

    def test_values_of_many_megabytes(self, store: Store) -> None:
        store.create(a_run(inputs=LONG, text=LONG[:1000]))
        store.write("r1", 1, [StepRecord("a", outputs=LONG, error=ErrorRecord("K", LONG[::-1])), StepRecord("b")])
        store.write("r1", 1, [StepRecord("c", outputs=LONG)], {"outputs": LONG[1:]})
        store.write("r1", 1, [StepRecord("d", inputs=LONG[2:])])
        first, _, third, fourth = store.records("r1")
        assert (fourth.inputs, fourth.outputs, third.inputs) == (LONG[2:], None, None)
        assert first.outputs == third.outputs == LONG
        assert first.error is not None
        assert first.error.message == LONG[::-1]
        run = store.load("r1")
        assert (run.inputs, run.outputs) == (LONG, LONG[1:])

    def test_many_runs(self, store: Store) -> None:
        ids = [f"r{index}" for index in range(300)]
        for run_id in ids:
            store.create(a_run(run_id))
        for turn in range(3):
            done = store.write_all([Write(run_id, 1, [StepRecord(f"{turn}", outputs=run_id)]) for run_id in ids])
            assert done == [None] * len(ids)
        for run_id in ids:
            assert [one.outputs for one in store.records(run_id)] == [run_id] * 3
        assert len(store.runs()) == len(ids)

    def test_ten_thousand_records(self, store: Store) -> None:
        store.create(a_run())
        store.write("r1", 1, [StepRecord(f"main/loop[{index}]/s", outputs="1") for index in range(10_000)])
        assert len(store.records("r1")) == 10_000

    def test_threads_share_a_store(self, store: Store) -> None:
        store.create(a_run())
        threads = [
            threading.Thread(
                target=lambda n=n: [store.write("r1", 1, [StepRecord(f"{n}.{i}"), StepRecord("x")]) for i in range(30)]
            )
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.records("r1")) == 4 * 30 + 1

    def test_threads_race_for_a_claim(self, store: Store) -> None:
        won: list[int] = []
        lost: list[RunOwnedError] = []

        def race(run_id: str) -> None:
            try:
                won.append(store.claim(run_id, Owner.here(), FAR, 10))
            except RunOwnedError as problem:
                lost.append(problem)

        for index in range(50):
            store.create(a_run(f"r{index}"))
            threads = [threading.Thread(target=race, args=(f"r{index}",)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert won == [2] * 50
        assert len(lost) == 100

    def test_two_connections(self, store: Store, tmp_path: Path) -> None:
        other = self.reopen(tmp_path)
        if other is None:
            return
        store.create(a_run())
        for index in range(10):
            (store, other)[index % 2].write("r1", 1, [StepRecord(f"s{index}")])
        assert store.records("r1") == other.records("r1")
        other.claim("r1", Owner.here(), FAR, 1)
        with pytest.raises(FencedError):
            store.write("r1", 1, [StepRecord("late")])
        other.request("r1", "cancel")
        assert store.requests("r1") == ("cancel",)
        other.close()
        assert len(store.records("r1")) == 10

    def test_a_closed_store(self, store: Store) -> None:
        store.create(a_run())
        store.close()
        store.close()
        for call in (
            lambda: store.load("r1"),
            store.runs,
            lambda: store.create(a_run("r2")),
            lambda: store.write("r1", 1, [StepRecord("a")]),
            lambda: store.heartbeat("r1", 1, 1),
            lambda: store.purge(1),
        ):
            with pytest.raises(StoreError, match="closed"):
                call()
