"""NoJournal: it has every name of the protocol RunJournal, contains no records, and ignores writes."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from taskrun.core.control import RunAborted
from taskrun.core.journal import NO_JOURNAL, ErrorRecord, NoJournal, RunJournal, StepRecord
from taskrun.core.states import RunState
from taskrun.errors import StoreError

RECORD = StepRecord("main/a")


def public(cls: type) -> set[str]:
    """Return the names of the public attributes of a class."""
    return {name for name in dir(cls) if not name.startswith("_")}


def test_it_has_the_names_of_the_protocol() -> None:
    assert public(NoJournal) == public(RunJournal)


@pytest.mark.parametrize("name", sorted(public(RunJournal)))
def test_its_methods_are_called_like_those_of_the_protocol(name: str) -> None:
    expected, found = getattr(RunJournal, name), getattr(NoJournal, name)
    if isinstance(expected, property):
        assert not callable(found)
        return
    assert inspect.iscoroutinefunction(found) == inspect.iscoroutinefunction(expected)
    parameters = inspect.signature(expected).parameters.values()
    own = inspect.signature(found).parameters.values()
    assert [(item.kind, item.default) for item in own] == [(item.kind, item.default) for item in parameters]


def test_it_contains_no_records() -> None:
    journal: RunJournal = NO_JOURNAL
    assert (journal.records, journal.replays, journal.problem, journal.is_broken) == (False, False, None, False)
    assert journal.recorded("main/a") is None
    assert journal.inside("main") == []
    assert journal.error_record(ValueError("no")) is None
    assert (journal.text({"n": 1}, "main/a"), journal.value("1"), journal.value(None)) == ("", None, None)
    with pytest.raises(LookupError, match="the run is not recorded, so it has no recorded failure"):
        journal.failure(ErrorRecord("builtins.ValueError", "no"))
    with pytest.raises(LookupError, match="the run is not recorded, so it has no record of 'main/a'"):
        journal.order("main/a")


def test_it_ignores_writes() -> None:
    journal: RunJournal = NO_JOURNAL
    journal.note(RECORD)
    journal.set_state_soon(RunState.REVERTING)
    journal.request("cancel")
    asyncio.run(saved(journal))
    assert journal.recorded(RECORD.key) is None


async def saved(journal: RunJournal) -> None:
    """Call the methods that wait for a commit."""
    await journal.save(RECORD)
    await journal.save(RECORD, shared=False)
    await journal.set_state(RunState.SUCCEEDED)


def test_decisions_are_made_each_time() -> None:
    values = iter("ab")
    journal: RunJournal = NO_JOURNAL
    assert [journal.remember("main/a:item", lambda: next(values)) for _ in range(2)] == ["a", "b"]


def test_a_called_flow_is_the_present_one() -> None:
    flow: Any = object()
    assert NO_JOURNAL.recorded_flow("f.task.xml", flow, lambda _path, _text: None) is flow  # type: ignore[arg-type,return-value]


def test_it_aborts_with_the_error() -> None:
    error = StoreError("the disk is full")
    aborted = NO_JOURNAL.abort(error)
    assert isinstance(aborted, RunAborted)
    assert aborted.error is error
