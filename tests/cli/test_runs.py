"""``taskrun runs``, and the options that select a store."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from sample_runs import BOOKING, CALLED, ELSEWHERE, GREETING, LOST, NOW, START, WORKING, a_run

from taskrun.cli.manager_options import add_store_options, store_url
from taskrun.cli.runs import format_run_time, unique_prefixes
from taskrun.core.states import RunState
from taskrun.stores.open import open_store

LIST = (Path(__file__).parents[1] / "golden/runs.txt").read_text("utf-8")


def test_the_list(call, store):
    """Runs are listed newest first; a run without recent heartbeats is marked as orphaned."""
    assert call("runs") == (0, LIST, "")


def test_the_list_for_programs(call, store):
    """``--json`` prints times in UTC and the owner as an object."""
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
def test_filters(call, store, words, expected):
    """Each option filters the list; an empty list is printed as ``[]``."""
    ended = call("runs", "--json", *words)
    assert [run["run_id"] for run in json.loads(ended.out)] == expected
    assert (ended.status, ended.err) == (0, "")


def test_an_empty_list(call, store):
    """An empty list is reported on standard error."""
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
    """A wrong option is reported with what is expected; exit status 2."""
    ended = call("runs", *words)
    assert (ended.status, ended.out) == (2, "")
    assert problem in ended.err


def test_a_terminal_shows_short_ids(call, store, monkeypatch):
    """Ids are shortened to prefixes that are unique among all runs, not only the listed ones."""
    monkeypatch.setattr("taskrun.cli.runs.sys.stdout.isatty", lambda: True)
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run(BOOKING[:9] + "x", 60, flow="other"))
    opened.close()
    lines = call("runs", "--flow", "booking").out.splitlines()
    assert lines[1].startswith(f"{BOOKING[:10]}  booking  ")
    assert call("runs", "--flow", "pay").out.splitlines()[1].startswith(f"{CALLED[:8]}  pay  ")
    assert call("show", BOOKING[:10]).status == 0


def test_unique_prefixes():
    """An id that is a prefix of another is shown completely."""
    assert unique_prefixes([]) == {}
    assert unique_prefixes(["abc"]) == {"abc": "abc"}
    assert unique_prefixes(["a" * 9, "a" * 12]) == {"a" * 9: "a" * 9, "a" * 12: "a" * 10}


def test_control_characters(call, store):
    """Control characters in names from files are escaped."""
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run("e0", 60, flow="a\nb\x1b[2J\u202e"))
    opened.close()
    assert call("runs", "--limit", "1").out.splitlines()[1].startswith("e0   a b\\x1b[2J\\u202e  CREATED")


def test_run_time():
    """The run time ends at the end of the run, now or its last heartbeat; it is empty if unknown."""
    assert format_run_time(a_run("r", 0, state=RunState.RUNNING, owner=ELSEWHERE, heartbeat=NOW), NOW) == "1 m 40 s"
    assert format_run_time(a_run("r", 0, state=RunState.RUNNING, owner=ELSEWHERE), NOW) == ""
    assert format_run_time(a_run("r", 0, state=RunState.SUSPENDED), NOW) == ""
    assert format_run_time(a_run("r", 0, started=None, state=RunState.CANCELLED, ended=START), NOW) == ""


def options(*words: str, recording: bool = False) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_store_options(parser, recording=recording)
    return parser.parse_args(words)


def test_selection_of_the_store(monkeypatch, tmp_path):
    """The store is the option, else the variable, else a file in the state folder; nothing is created."""
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
    """``--no-record`` exists only for recording commands and excludes ``--store``."""
    assert options("--no-record", recording=True).no_record
    with pytest.raises(argparse.ArgumentError, match="not allowed with"):
        options("--no-record", "--store", "memory:", recording=True)
    assert "no_record" not in options()


@pytest.mark.parametrize("words", [["runs"], ["show", "x"], ["delete", "x"], ["purge", "--older-than", "1d"]])
def test_no_store_yet(call, tmp_path, words):
    """A missing store is reported and not created."""
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
def test_unusable_stores(call, tmp_path, request, make):
    """An unusable store is reported with its problem; exit status 3."""
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
    """Reading works while another process writes; deleting reports the lock."""
    with sqlite3.connect(store, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        url = f"sqlite:///{store}?timeout=0"
        assert call("runs", "--store", url).out == LIST
        ended = call("purge", "--older-than", "1d", "--store", url)
    other.close()
    assert ended.status == 3
    assert "another process has locked it" in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder(call, tmp_path):
    """An unreadable folder is reported as such, and not as a missing store."""
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    ended = call("runs", "--store", f"sqlite:///{closed}/runs.db")
    closed.chmod(0o700)
    assert (ended.status, ended.out) == (3, "")
    assert "Permission denied" in ended.err


def test_as_a_process(taskrun, store):
    """The command works in a process of its own."""
    ended = taskrun("runs", "--flow", "booking", env={"TASKRUN_STORE": f"sqlite:///{store}", "TZ": "UTC"})
    assert ended.out.splitlines()[1].split()[:3] == [BOOKING, "booking", "REVERT_FAILED"]
    assert (ended.status, ended.err) == (0, "")
