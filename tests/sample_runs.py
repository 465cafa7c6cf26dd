"""Recorded runs with fixed times and ids, for tests of listing, showing and deleting runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from taskrun.codec.codec import Codecs
from taskrun.core.completion import Signal
from taskrun.core.journal import ErrorRecord, StepRecord
from taskrun.core.states import RunState, StepState
from taskrun.durable.records import Owner, RunRecord
from taskrun.durable.store import Store

START = datetime(2026, 1, 31, 8, tzinfo=UTC).timestamp()
NOW = START + 100.0
ELSEWHERE = Owner("far.example", 4711, "aaaa")
"""A process on another host, which counts as dead only after a time without heartbeats."""

BOOKING = "3f9a04c1d5e64b7a9c21f0b8e7d6a5c4"
GREETING = "3f9a77aa000000000000000000000001"
LOST = "b0000000000000000000000000000002"
WORKING = "c0000000000000000000000000000003"
CALLED = "d0000000000000000000000000000004"

dumps = Codecs().dumps
NO_ANSWER = ErrorRecord(
    "shop.errors.PaymentError",
    "the card was refused",
    '  File "shop.py", line 7, in pay\n    answer = ask(card)\n',
    ("in step main/pay (booking.task.xml:9:5)",),
    ErrorRecord("builtins.ConnectionError", "no answer\nfrom the bank", '  File "net.py", line 1, in ask\n'),
)


def times(begin: float, end: float) -> dict[str, float]:
    """Return the fields ``started`` and ``ended`` of a step, from seconds after START."""
    return {"started": START + begin, "ended": START + end}


STEPS = (
    StepRecord("main/fetch", outputs=dumps({"RESULT": [1, 2], "due": date(2026, 2, 3)}), **times(0, 0.008)),
    StepRecord("main/which:decider", "decision", outputs=dumps("card"), **times(0.01, 0.01)),
    StepRecord("main/each:items", "items", outputs=dumps(("a", "b")), **times(0.02, 0.02)),
    # the second branch began first
    StepRecord("main/each[1]/hold", outputs=dumps({"RESULT": "x" * 200}), **times(0.03, 0.05)),
    StepRecord("main/each[0]/hold", outputs=dumps({"RESULT": Decimal("1.50")}), **times(0.04, 0.06)),
    StepRecord("main/each", **times(0.02, 0.07)),
    StepRecord("main/notify", state=StepState.SKIPPED, note="when 'total > 100' was false", **times(0.08, 0.08)),
    StepRecord("main/pay", state=StepState.FAILED, error=NO_ANSWER, **times(0.1, 1.0)),
    StepRecord("main/pay#2:progress", "progress", StepState.RUNNING, outputs=dumps([0.4, "asked"]), **times(2.1, 2.1)),
    StepRecord("main/pay#2", state=StepState.FAILED, error=NO_ANSWER, attempt=2, **times(2, 3.5)),
    StepRecord("main/alert", target="tell", note="allowFailure: it was left undone", **times(3.5, 3.5)),
    StepRecord("main/tell", signal=Signal.END, **times(3.5, 3.5)),
    StepRecord("main/fetch:undo", "undo", StepState.REVERT_FAILED, error=NO_ANSWER.cause, **times(3.6, 3.7)),
    StepRecord("main/each[0]/hold:undo", "undo", StepState.REVERTED, **times(3.7, 3.8)),
    StepRecord(":vars", "vars", outputs=dumps({"seen": {3, 1}})),
)

TEXT = "<task><steps/></task>"


def a_run(run_id: str, begin: float, **settings: Any) -> RunRecord:
    """Return the record of a run that was created ``begin`` seconds after START."""
    at = START + begin
    values = {"flow": "greet", "created": at, "started": at, "text": TEXT}
    return RunRecord(run_id=run_id, **(values | settings))


def fill(store: Store) -> None:
    """Write all runs to a store, the oldest first."""
    store.create(
        a_run(
            BOOKING,
            0,
            flow="booking",
            version="1.2",
            path="flows/booking.task.xml",
            state=RunState.REVERTING,
            owner=ELSEWHERE,
            flags=frozenset({"urgent", "draft"}),
            inputs=dumps(
                {"who": "Ada\nLovelace", "when": datetime(2026, 2, 3, 8, tzinfo=timezone(timedelta(hours=1)))}
            ),
        )
    )
    store.write(BOOKING, 1, STEPS, {"state": RunState.REVERT_FAILED, "error": NO_ANSWER, "ended": START + 4})
    store.create(
        a_run(GREETING, 10, state=RunState.SUCCEEDED, ended=START + 10.25, outputs=dumps({"greeting": "Hello, Ada!"}))
    )
    store.create(a_run(LOST, 20, state=RunState.RUNNING, owner=ELSEWHERE, heartbeat=NOW - 31))
    store.create(a_run(WORKING, 30, state=RunState.RUNNING, owner=ELSEWHERE, heartbeat=NOW - 29))
    store.create(
        a_run(
            CALLED,
            40,
            flow="pay",
            state=RunState.SUSPENDED,
            parent=LOST,
            parent_step="main/call",
            waits_for=dumps({"inputs": ["approved"]}),
        )
    )
