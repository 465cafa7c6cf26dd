"""``taskrun runs``, and the options that name a store."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from recorded_runs import BOOKING, CALLED, ELSEWHERE, GREETING, LOST, NOW, START, WORKING, a_run

from taskrun.cli.runs import format_run_time, unique_prefixes
from taskrun.cli.stores import add_store_options, store_url
from taskrun.core.states import RunState
from taskrun.stores.open import open_store

LIST = (Path(__file__).parents[1] / "golden/runs.txt").read_text("utf-8")


def test_the_list(call, store):
    """Newest first; who is silent for too long is dead."""
    assert call("runs") == (0, LIST, "")


def test_the_list_for_programs(call, store):
    """Times in UTC, the owner as an object."""
    listed = json.loads(call("runs", "--json").out)
    assert [run["run_id"] for run in listed] == [CALLED, WORKING, LOST, GREETING, BOOKING]
    assert listed[2] == {
        "run_id": LOST,
        "flow": "greet",
        "version": "",
        "state": "RUNNING",
        "created": "2026-01-31T08:00:20.000Z",
        "started": "2026-01-31T08:00:20.000Z",
        "ended": None,
        "owner": {"host": "far.example", "pid": 4711},
        "resumable": True,
        "error": None,
    }
    assert [run["resumable"] for run in listed] == [False, False, True, False, False]
    assert (listed[3]["ended"], listed[3]["owner"]) == ("2026-01-31T08:00:10.250Z", None)
    assert listed[4]["error"] == "shop.errors.PaymentError: the card was refused"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--state", "Running"], [WORKING, LOST]),
        (["--flow", "booking"], [BOOKING]),
        (["--limit", "2"], [CALLED, WORKING]),
        (["--since", "70s"], [CALLED, WORKING]),
        (["--since", "1h"], [CALLED, WORKING, LOST, GREETING, BOOKING]),
        (["--since", "2026-01-31T08:00:30"], [CALLED, WORKING]),
        (["--since", "2026-01-31T09:00:40+01:00"], [CALLED]),
        (["--since", "2026-02-01"], []),
        (["--state", "failed"], []),
    ],
)
def test_what_is_listed(call, store, words, expected):
    """Each option leaves some out; an empty list is one."""
    ended = call("runs", "--json", *words)
    assert [run["run_id"] for run in json.loads(ended.out)] == expected
    assert (ended.status, ended.err) == (0, "")


def test_nothing_to_list(call, store):
    """It is said, but not on standard output."""
    assert call("runs", "--flow", "none") == (0, "", "taskrun runs: no runs found\n")
    assert call("runs", "--store", "memory:", "--json") == (0, "[]\n", "")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--state", "suceeded"], "there is no state 'suceeded'; did you mean 'SUCCEEDED'?"),
        (["--since", "soon"], "'soon' is not a time: expected a duration such as 30m, 2h, 3d or 1w, or a date"),
        (["--since", "0001-01-01"], "'0001-01-01' is not a time"),
        (["--limit", "0"], "'0' is not a number of runs above 0"),
        (["--limit", "-3"], "'-3' is not a number of runs above 0"),
        (["--stat", "X"], "unrecognized arguments: --stat X; did you mean '--state'?"),
    ],
)
def test_wrong_options(call, store, words, problem):
    """Exit status 2, and what would be right."""
    ended = call("runs", *words)
    assert (ended.status, ended.out) == (2, "")
    assert problem in ended.err


def test_a_terminal_shows_short_ids(call, store, monkeypatch):
    """As long as they need to be to name one run among all, of which there may be more than are listed."""
    monkeypatch.setattr("taskrun.cli.runs.sys.stdout.isatty", lambda: True)
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run(BOOKING[:9] + "x", 60, flow="other"))
    opened.close()
    lines = call("runs", "--flow", "booking").out.splitlines()
    assert lines[1].startswith(f"{BOOKING[:10]}  booking  ")
    assert call("runs", "--flow", "pay").out.splitlines()[1].startswith(f"{CALLED[:8]}  pay  ")
    assert call("show", BOOKING[:10]).status == 0


def test_unique_prefixes():
    """Whole ids where one begins the other."""
    assert unique_prefixes([]) == {}
    assert unique_prefixes(["abc"]) == {"abc": "abc"}
    assert unique_prefixes(["a" * 9, "a" * 12]) == {"a" * 9: "a" * 9, "a" * 12: "a" * 10}


def test_orders_to_a_terminal_are_not_obeyed(call, store):
    """Names come from files."""
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run("e0", 60, flow="a\nb\x1b[2J\u202e"))
    opened.close()
    assert call("runs", "--limit", "1").out.splitlines()[1].startswith("e0   a b\\x1b[2J\\u202e  CREATED")


def test_how_long_a_run_format_run_time():
    """Until it ended, or now, or its last sign; not known of what waits, or never began."""
    assert format_run_time(a_run("r", 0, state=RunState.RUNNING, owner=ELSEWHERE, heartbeat=NOW), NOW) == "1 m 40 s"
    assert format_run_time(a_run("r", 0, state=RunState.RUNNING, owner=ELSEWHERE), NOW) == ""
    assert format_run_time(a_run("r", 0, state=RunState.SUSPENDED), NOW) == ""
    assert format_run_time(a_run("r", 0, started=None, state=RunState.CANCELLED, ended=START), NOW) == ""


def options(*words: str, recording: bool = False) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_store_options(parser, recording=recording)
    return parser.parse_args(words)


def test_which_store(monkeypatch, tmp_path):
    """The option, else the variable, else a file in the state folder; naming it makes nothing."""
    monkeypatch.setenv("TASKRUN_STORE", "sqlite:///b.db")
    assert store_url(options("--store", "sqlite:///a.db")) == "sqlite:///a.db"
    assert store_url(options()) == "sqlite:///b.db"
    monkeypatch.setenv("TASKRUN_STORE", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "st?te"))
    assert store_url(options()) == f"sqlite:///{tmp_path}/st%3Fte/taskrun/runs.db"
    assert list(tmp_path.iterdir()) == []
    open_store(store_url(options())).close()
    made = tmp_path / "st?te/taskrun"
    assert (made / "runs.db").is_file()
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_no_record():
    """Only where something is recorded, and not with a store."""
    assert options("--no-record", recording=True).no_record
    with pytest.raises(argparse.ArgumentError, match="not allowed with"):
        options("--no-record", "--store", "memory:", recording=True)
    assert "no_record" not in options()


@pytest.mark.parametrize("words", [["runs"], ["show", "x"], ["delete", "x"], ["purge", "--older-than", "1d"]])
def test_no_store_yet(call, tmp_path, words):
    """It is said, and not made."""
    ended = call(*words, "--store", "sqlite:///sub/none.db")
    assert (ended.status, ended.out) == (3, "")
    assert ended.err == (
        f"taskrun: error: no runs recorded: there is no file {tmp_path}/sub/none.db\n"
        "    hint: select another store with --store or TASKRUN_STORE\n"
    )
    assert list(tmp_path.iterdir()) == []


def not_a_database(path: Path) -> str:
    path.write_text("<task/>" * 1000)
    return "the file is not a SQLite database"


def another_program(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()
    return "is a database of another program"


def newer(path: Path) -> str:
    open_store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    return "was written by a newer taskrun"


def damaged(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET state = 'GONE'")
    connection.close()
    return "cannot be read: it is damaged"


def broken_pages(path: Path) -> str:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    return "the file is damaged"


def broken_schema(path: Path) -> str:
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE runs", b"CR\xffATE TABLE runs"))
    return "the file is damaged"


def folder(path: Path) -> str:
    path.mkdir()
    return "it cannot be opened"


def too_long(path: Path) -> str:
    return "File name too long"


@pytest.mark.parametrize(
    "make", [not_a_database, another_program, newer, damaged, broken_pages, broken_schema, folder, too_long]
)
def test_trouble(call, tmp_path, request, make):
    """Exit status 3, and what is wrong with which file."""
    file = tmp_path / ("r" * 300 if make is too_long else "runs.db")
    if make in {damaged, broken_pages, broken_schema}:
        request.getfixturevalue("store")
    problem = make(file)
    for words in (["runs"], ["show", "3f"]):
        ended = call(*words, "--store", f"sqlite:///{file}")
        assert (ended.status, ended.out) == (3, "")
        assert problem in ended.err
        assert "Traceback" not in ended.err


def test_a_locked_store(call, store):
    """Reading waits for nobody; removing says that somebody writes."""
    with sqlite3.connect(store, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        url = f"sqlite:///{store}?timeout=0"
        assert call("runs", "--store", url).out == LIST
        ended = call("purge", "--older-than", "1d", "--store", url)
    other.close()
    assert ended.status == 3
    assert "another process holds it locked" in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_looked_into(call, tmp_path):
    """It is not said that no run was recorded."""
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    ended = call("runs", "--store", f"sqlite:///{closed}/runs.db")
    closed.chmod(0o700)
    assert (ended.status, ended.out) == (3, "")
    assert "Permission denied" in ended.err


def test_as_a_process(taskrun, store):
    """The command as a user has it."""
    ended = taskrun("runs", "--flow", "booking", env={"TASKRUN_STORE": f"sqlite:///{store}", "TZ": "UTC"})
    assert ended.out.splitlines()[1].split()[:3] == [BOOKING, "booking", "REVERT_FAILED"]
    assert (ended.status, ended.err) == (0, "")
