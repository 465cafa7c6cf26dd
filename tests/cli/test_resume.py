"""``taskrun run`` with records, ``resume``, ``rerun``, ``cancel`` and ``suspend``, one after the other."""

from __future__ import annotations

import io
import json
import re
import socket
import time
from contextlib import closing

import pytest

from taskrun import TaskManager
from taskrun.cli.prompt import prompt_inputs
from taskrun.core.states import RunState
from taskrun.durable.records import Owner, RunRecord
from taskrun.errors import TransitionError
from taskrun.result import RequestedInput, WaitPoint
from taskrun.stores.open import open_store
from taskrun.stores.sqlite.store import SqliteStore

APPROVAL = """<task name="approval">
  <input name="amount" type="int" mandatory="true"/>
  <steps>
    <step name="reserve">
      <source>logInfo("reserved " + str(amount))</source>
      <revert>logInfo("released")</revert>
    </step>
    <suspend name="approve" displayName="Shall it be paid?">
      <input name="approved" type="bool" mandatory="true"/>
      <input name="note"/>
      <output name="approved"/>
      <output name="note"/>
    </suspend>
    <step name="pay"><source>logInfo("paid")</source></step>
  </steps>
  <output name="approved"/>
  <output name="note"/>
</task>"""
SECRET = """<task>
  <input name="token" type="str" persist="false"/>
  <steps>
    <step name="fetch"><source>logInfo("fetched"); return 20</source></step>
    <step name="send">
      <input name="got" value="${RESULT}"/>
      <source>
        if token != "007":
            raise ValueError("refused")
        return got + 1
      </source>
    </step>
  </steps>
</task>"""
BOOKING = """<task>
  <input name="card" type="str"/>
  <steps>
    <step name="flight"><source>logInfo("flight"); return "F1"</source><revert>logInfo("no " + result)</revert></step>
    <step name="pay"><source>if card == "bad": raise ValueError("refused")</source></step>
  </steps>
</task>"""
RUN = r"[0-9a-f]{8}"


@pytest.fixture(autouse=True)
def url(call, tmp_path, monkeypatch):
    """Select a store in the test's folder and return its URL."""
    text = f"sqlite:///{tmp_path}/runs.db"
    monkeypatch.setenv("TASKRUN_STORE", text)
    return text


def last(call, **more):
    """Return the newest run as an object of ``runs --json``."""
    return json.loads(call("runs", "--json").out)[0]


def test_a_run_is_recorded(call, flow):
    """A run is recorded with its inputs and outputs."""
    flow(SECRET)
    assert call("flow.task.xml", "--input", "token=007").out == '{"RESULT": 21}\n'
    assert last(call)["state"] == "SUCCEEDED"
    shown = json.loads(call("show", last(call)["run_id"], "--json").out)
    assert (shown["inputs"], shown["outputs"]) == ({}, {"RESULT": 21})


def test_a_run_that_is_not_recorded(call, flow, tmp_path):
    """``--no-record`` creates no store."""
    flow(SECRET)
    assert call("flow.task.xml", "--no-record", "--input", "token=007").out == '{"RESULT": 21}\n'
    assert not (tmp_path / "runs.db").exists()
    assert call("runs").status == 3
    failed = call("flow.task.xml", "--no-record", "--input", "token=1")
    assert failed.status == 1
    assert "resume" not in failed.err


def test_wrong_inputs_are_not_recorded(call, flow):
    """A run with wrong inputs is not recorded."""
    flow(APPROVAL)
    ended = call("flow.task.xml", "--input", "amount=x")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "taskrun: error: wrong inputs\n    input 'amount' (int): 'x' is not of type int\n"
    assert call("runs").err == "taskrun runs: no runs found\n"


def test_a_suspended_run(call, flow):
    """The wait point and the command to resume are printed; wrong inputs are rejected and change nothing."""
    flow(APPROVAL)
    ended = call("flow.task.xml", "--input", "amount=3")
    assert (ended.status, ended.out) == (4, "")
    assert re.fullmatch(
        rf"taskrun: reserved 3\ntaskrun: run ({RUN}) is SUSPENDED at 1 wait point:\n"
        r"    main/approve: Shall it be paid\? \(requests approved \(bool\), note\)\n"
        r"    resume it with: taskrun resume \1 --input approved=… --input note=…\n",
        ended.err,
    ), ended.err
    run = last(call)["run_id"]
    for words, message in (
        ((), "input 'approved' (bool) of main/approve: is mandatory and missing"),
        (("--input", "approved=maybe"), "input 'approved' (bool) of main/approve: 'maybe' is not of type bool"),
        (("--input", "aproved=true"), "the run does not request 'aproved'; did you mean 'approved'?"),
        (("--inputs", "nowhere.json"), "--inputs nowhere.json: No such file or directory"),
    ):
        wrong = call("resume", run, *words)
        assert (wrong.status, wrong.out) == (2, "")
        assert message in wrong.err
        assert last(call)["state"] == "SUSPENDED"
    done = call("resume", run[:6], "--input", "approved=true", "--input", 'note={"a": 1}')
    assert done == (0, '{"approved": true, "note": {"a": 1}}\n', "taskrun: paid\n")


def test_a_succeeded_run(call, flow):
    """A succeeded run prints its outputs again, and rejects inputs, ``cancel`` and ``suspend``."""
    flow(APPROVAL)
    call("flow.task.xml", "--input", "amount=3")
    run = last(call)["run_id"]
    call("resume", run, "--input", "approved=false")
    assert call("resume", run) == (0, '{"approved": false, "note": null}\n', "")
    again = call("resume", run, "--input", "approved=true")
    assert again.status == 3
    assert f"run {run} is over: it is SUCCEEDED" in again.err
    over = f"taskrun: error: run {run[:8]} cannot be cancelled: it is SUCCEEDED\n"
    assert call("cancel", run) == (1, "", over)
    assert call("suspend", run) == (1, "", f"taskrun: error: run {run[:8]} is not running: it is SUCCEEDED\n")


@pytest.mark.parametrize("command", ["resume", "rerun", "cancel", "suspend"])
def test_unknown_runs(call, flow, command):
    """An unknown run, or a missing store, ends with exit status 3."""
    assert "no runs recorded: there is no file" in call(command, "3f9a").err
    flow(SECRET)
    call("flow.task.xml", "--input", "token=007")
    ended = call(command, "zzzz")
    assert (ended.status, ended.out) == (3, "")
    assert ended.err.startswith("taskrun: error: there is no run zzzz\n")


def test_a_failed_run_is_resumed(call, flow):
    """Recorded steps are not executed again; an input that is not recorded must be given again."""
    flow(SECRET)
    failed = call("flow.task.xml", "--input", "token=7", "--script-timeout", "5s", "--allow", "shop.*", "--path", "a b")
    run = last(call)["run_id"]
    assert failed.status == 1
    advice = f"taskrun resume {run[:8]} --script-timeout 5s --path 'a b' --allow 'shop.*'"
    assert failed.err.endswith(f"taskrun: run {run[:8]} is FAILED\n    resume it with: {advice}\n")
    assert call("resume", run, "--input", "token=007") == (0, '{"RESULT": 21}\n', "")


def test_the_advice_names_the_selected_store(call, flow, tmp_path):
    """The printed command contains ``--store`` only if the command line did."""
    flow(APPROVAL)
    ended = call("flow.task.xml", "--input", "amount=3", "--store", "sqlite:///other.db")
    assert " --store sqlite:///other.db --input approved=…" in ended.err
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "runs.db").exists()
    both = call("flow.task.xml", "--store", "sqlite:///other.db", "--no-record")
    assert both.status == 2


def test_another_flow(call, flow):
    """``--flow FILE`` replaces the recorded flow; an invalid file is reported."""
    flow(SECRET)
    call("flow.task.xml", "--input", "token=7")
    run = last(call)["run_id"]
    flow(SECRET.replace("got + 1", "got + 2"), "new.task.xml")
    flow(SECRET.replace("persist", "persits"), "wrong.task.xml")
    wrong = call("resume", run, "--flow", "wrong.task.xml")
    assert wrong.status == 2
    assert "did you mean 'persist'" in wrong.err
    assert call("resume", run, "--flow", "new.task.xml", "--input", "token=007").out == '{"RESULT": 22}\n'


def test_a_new_run_from_a_step(call, flow):
    """A rerun inherits the records before the step; the earlier run does not change."""
    flow(SECRET)
    call("flow.task.xml", "--input", "token=007")
    run = last(call)["run_id"]
    assert call("rerun", run, "--from", "send", "--input", "token=007") == (0, '{"RESULT": 21}\n', "")
    assert last(call)["run_id"] != run
    near = call("rerun", run, "--from", "main/sned", "--input", "token=007")
    assert near.status == 3
    assert "did you mean 'main/send'?" in near.err
    failed = call("rerun", run, "--from", "send", "--input", "token=7")
    assert failed.status == 1
    assert f"taskrun: run {last(call)['run_id'][:8]} is FAILED" in failed.err


def test_a_reverted_run(call, flow):
    """The report about a reverted run contains the command ``rerun``."""
    flow(BOOKING)
    failed = call("flow.task.xml", "--input", "card=bad")
    run = last(call)["run_id"][:8]
    assert failed.status == 1
    assert failed.err.startswith("taskrun: flight\ntaskrun: no F1\n")
    assert "↶ main/flight  undone\n" in call("flow.task.xml", "--input", "card=bad", "-v").err
    assert (
        f"taskrun: run {run} is REVERTED\n    its finished steps were undone; start again with: taskrun rerun {run}\n"
        in (failed.err)
    )
    assert call("resume", run).status == 3
    assert call("rerun", run, "--input", "card=good") == (0, '{"RESULT": null}\n', "taskrun: flight\n")


@pytest.mark.parametrize(("words", "output"), [((), "taskrun: released\n"), (("--no-revert",), "")])
def test_a_suspended_run_is_cancelled(call, flow, words, output):
    """Cancelling a suspended run undoes its steps in the process of ``cancel``."""
    flow(APPROVAL)
    call("flow.task.xml", "--input", "amount=3")
    run = last(call)["run_id"][:8]
    assert call("cancel", run, *words) == (0, f"run {run} is CANCELLED\n", output)
    assert call("cancel", run) == (1, "", f"taskrun: error: run {run} cannot be cancelled: it is CANCELLED\n")


def test_a_run_that_was_being_cancelled(call, flow, url):
    """Resuming a run with a cancel request undoes its steps and ends as CANCELLED."""
    flow(APPROVAL)
    call("flow.task.xml", "--input", "amount=3")
    run = last(call)["run_id"]
    store = open_store(url)
    epoch = store.claim(run, Owner(socket.gethostname(), 2**31 - 1, "dead"), time.time(), 30)
    store.write(run, epoch, (), {"state": RunState.RUNNING, "waits_for": None})
    store.request(run, "cancel")
    store.close()
    ended = call("resume", run)
    assert (ended.status, ended.out) == (130, "")
    assert ended.err.startswith(f"taskrun: released\ntaskrun: cancelled\ntaskrun: run {run[:8]} is CANCELLED\n")


def test_a_concurrent_claim(call, flow, url, monkeypatch):
    """A claim by another process between load and claim is noticed, and the run is released."""
    flow(APPROVAL)
    call("flow.task.xml", "--input", "amount=3")
    run = last(call)["run_id"]
    load, looks = SqliteStore.load, []

    def slow(store: SqliteStore, run_id: str) -> RunRecord:
        record = load(store, run_id)
        if not looks:
            monkeypatch.setattr(SqliteStore, "load", load)
            epoch = store.claim(run, Owner(socket.gethostname(), 2**31 - 1, "dead"), time.time(), 30)
            store.write(run, epoch, (), {"state": RunState.SUSPENDED})
        looks.append(run_id)
        return record

    with closing(TaskManager(store=url)) as manager:
        monkeypatch.setattr(SqliteStore, "load", slow)
        with pytest.raises(TransitionError, match="was claimed by another process meanwhile: it is SUSPENDED"):
            manager.resume(run, {"approved": True})
    assert last(call)["owner"] is None
    assert call("resume", run, "--input", "approved=true").status == 0


def test_a_failed_rollback(call, flow):
    """A failed rollback is reported, and tried again by the next ``cancel``."""
    flow(APPROVAL.replace('logInfo("released")', 'logInfo("tried"); raise ValueError("stuck")'))
    call("flow.task.xml", "--input", "amount=3")
    run = last(call)["run_id"][:8]
    for _ in range(2):
        ended = call("cancel", run)
        assert (ended.status, ended.out) == (1, "")
        assert "taskrun: tried\n" in ended.err
        assert "stuck" in ended.err
        assert "Traceback" not in ended.err
        assert last(call)["state"] == "REVERT_FAILED"


def test_a_value_that_cannot_be_recorded(call, flow):
    """The error names the step, the output and ``--no-record``."""
    flow('<task><steps><step name="a"><source>len</source></step></steps></task>')
    ended = call("flow.task.xml")
    assert ended.status == 1
    assert "step main/a: its output 'RESULT' cannot be recorded" in ended.err
    assert "use --no-record to run the flow without recording it" in ended.err
    assert "output 'RESULT' cannot be printed" in call("flow.task.xml", "--no-record").err


def test_a_suspending_flow_needs_a_record(call, flow):
    """A flow that can be suspended needs a record or a terminal."""
    flow(APPROVAL)
    for words in (("--no-record",), ("--store", "memory:")):
        ended = call("flow.task.xml", *words, "--input", "amount=3")
        assert (ended.status, ended.out) == (2, "")
        assert "a run that is not recorded cannot be resumed" in ended.err
    ended = call("flow.task.xml", "--interactive")
    assert ended.status == 2
    assert "--interactive needs a terminal" in ended.err


@pytest.mark.parametrize(
    ("name", "message"), [("", "unable to open database file"), ("flow.task.xml", "it is not a SQLite database")]
)
def test_an_unusable_store(call, flow, tmp_path, name, message):
    """An unusable store ends the command before the run starts, with exit status 3."""
    flow(SECRET)
    ended = call("flow.task.xml", "--input", "token=007", "--store", f"sqlite:///{tmp_path}/{name}")
    assert (ended.status, ended.out) == (3, "")
    assert "fetched" not in ended.err
    assert "use --no-record to run the flow without recording it" in ended.err
    assert "Traceback" not in ended.err


WAIT_POINTS = (
    WaitPoint(
        "main/approve",
        "Shall it be paid?",
        (
            RequestedInput("approved", "bool", "may it be\n paid", mandatory=True),
            RequestedInput("days", "int", default="3"),
            RequestedInput("note"),
        ),
    ),
    WaitPoint("main/b", "behind 'b'"),
)


def test_prompts(monkeypatch, capsys):
    """A wrong answer is asked for again; an empty one selects the default or no value."""
    monkeypatch.setattr("sys.stdin", io.StringIO("maybe\n\ntrue\n\n[1]\n\n"))
    assert prompt_inputs(WAIT_POINTS, {}) == {"approved": True, "note": [1]}
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "main/approve: Shall it be paid?\n"
        "  approved (bool), may it be paid:     'maybe' is not of type bool\n"
        "  approved (bool), may it be paid:     a value is required\n"
        "  approved (bool), may it be paid:   days (int, default 3):   note (optional): "
        "main/b: behind 'b'\n"
        "  Enter resumes the run, Ctrl-D leaves it suspended: "
    )


@pytest.mark.parametrize("answers", ["", "true\n", "true\n3\nx\n"])
def test_end_of_input(monkeypatch, capsys, answers):
    """At the end of the input there are no inputs."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    assert prompt_inputs(WAIT_POINTS, {}) is None


def test_given_inputs_are_not_prompted_for(monkeypatch, capsys):
    """Inputs that are given are not prompted for."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    given = {"approved": False, "days": 1, "note": "x"}
    assert prompt_inputs(WAIT_POINTS, given) == given
