"""Runs that another process resumes, cancels or suspends; killed processes and full disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from children import on_terminal, says, start

NAP = """<task name="nap">
  <input name="long" type="bool" defaultValue="true" persist="false"/>
  <steps>
    <step name="book"><source>logInfo("booked")</source><revert>logInfo("unbooked")</revert></step>
    <suspend name="ready"/>
    <step name="begin"><source>logInfo("beginning")</source></step>
    <sleep name="nap" sleepMillisExpr="60000 if long else 0"/>
  </steps>
</task>"""
STRAIGHT = NAP.replace('<suspend name="ready"/>', "")
SLOW_UNDO = """<task name="slow"><beans><bean id="bank" class="bank:Bank"/></beans><steps>
  <step name="book">
    <source>1</source>
    <revert maxRetryCount="9" retryDelay="60s">
      logInfo("undoing")
      inject("bank").undo()
    </revert>
  </step>
  <step name="fetch"><source>logInfo("fetching")</source></step>
  <sleep name="nap" sleepMillisExpr="60000"/>
</steps></task>"""
BANK = """from pathlib import Path
class Bank:
    def undo(self):
        if Path("closed").exists():
            raise ConnectionError("the bank is closed")
"""
WRITER = """<task><steps>
  <loop-n name="all" beginExpr="0" endExpr="40" varName="n"><steps>
    <step name="one"><input name="n"/><source>logInfo("did " + str(n)); return "x" * 20000</source></step>
  </steps></loop-n>
</steps></task>"""
LIMITED = """import resource, sys
from taskrun.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def url(call, tmp_path, monkeypatch):
    """Select a store in the test's folder."""
    monkeypatch.setenv("TASKRUN_STORE", f"sqlite:///{tmp_path}/runs.db")


@pytest.fixture
def newest(call):
    """Return a function that returns the newest run as an object of ``runs --json``."""
    return lambda: json.loads(call("runs", "--json").out)[0]


def test_cancelled_from_outside(call, flow, tmp_path, newest):
    """``cancel`` makes the owner stop and undo its steps, and waits until it has."""
    flow(STRAIGHT)
    owner = start(tmp_path, "flow.task.xml")
    says(owner, "beginning")
    run = newest()["run_id"][:8]
    assert call("cancel", run) == (0, f"run {run} is CANCELLED\n", "")
    out, err = owner.communicate(timeout=20)
    assert (owner.returncode, out) == (130, "")
    assert err.startswith(f"taskrun: unbooked\ntaskrun: cancelled\ntaskrun: run {run} is CANCELLED\n")


def test_suspended_from_outside(call, flow, tmp_path, newest):
    """``suspend`` lets the running step finish; a resumed run continues with the next one."""
    flow(
        STRAIGHT.replace("60000 if long else 0", "500").replace(
            "</steps>", '<step name="z"><source>7</source></step></steps>'
        )
    )
    owner = start(tmp_path, "flow.task.xml")
    says(owner, "beginning")
    run = newest()["run_id"][:8]
    assert call("suspend", run) == (0, f"run {run} is SUSPENDED\n", "")
    out, err = owner.communicate(timeout=20)
    advice = f"taskrun: run {run} is SUSPENDED\n    resume it with: taskrun resume {run}\n"
    assert (owner.returncode, out, err) == (4, "", advice)
    assert call("suspend", run).err == f"taskrun: error: run {run} is not running: it is SUSPENDED\n"
    assert call("resume", run) == (0, '{"RESULT": 7}\n', "")


def test_a_killed_run_is_resumed(call, flow, tmp_path, newest):
    """A killed run can be resumed at once, without executing its recorded steps again."""
    flow(STRAIGHT)
    owner = start(tmp_path, "flow.task.xml")
    says(owner, "beginning")
    run = newest()["run_id"][:8]
    taken = call("resume", run)
    assert (taken.status, taken.out) == (3, "")
    assert f"is owned by process {owner.pid} on" in taken.err
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    assert "owner is dead" in call("runs").out
    assert "its process has died; resume it" in call("suspend", run).err
    done = call("resume", run, "--input", "long=false")
    assert (done.status, done.out) == (0, '{"RESULT": null}\n')
    assert "booked" not in done.err


def test_a_killed_run_is_cancelled(call, flow, tmp_path, newest):
    """``cancel`` undoes the steps of a killed run itself."""
    flow(STRAIGHT)
    owner = start(tmp_path, "flow.task.xml")
    says(owner, "beginning")
    owner.kill()
    owner.communicate()
    run = newest()["run_id"][:8]
    assert call("cancel", run) == (0, f"run {run} is CANCELLED\n", "taskrun: unbooked\n")


def test_two_processes_resume(call, flow, tmp_path, newest):
    """One of two processes executes the run, the other reports its owner."""
    flow(NAP)
    assert call("flow.task.xml").status == 4
    run = newest()["run_id"]
    both = [start(tmp_path, "resume", run) for _ in range(2)]
    pid, status = os.wait()
    loser, winner = both if both[0].pid == pid else reversed(both)
    loser.returncode = os.waitstatus_to_exitcode(status)
    assert loser.returncode == 3
    message = loser.communicate()[1]
    assert f"run {run} is owned by process {winner.pid} on" in message
    assert "beginning" not in message
    assert "resume it" not in message
    says(winner, "beginning")
    winner.send_signal(signal.SIGINT)
    err = winner.communicate(timeout=20)[1]
    assert winner.returncode == 130
    assert err.startswith("taskrun: unbooked\ntaskrun: cancelled\n")


def test_interrupted_rollback(call, flow, tmp_path, newest, taskrun):
    """The second Ctrl-C ends the process during the rollback; the next ``cancel`` completes the rollback."""
    flow(SLOW_UNDO)
    (tmp_path / "bank.py").write_text(BANK)
    (tmp_path / "closed").touch()
    owner = start(tmp_path, "flow.task.xml", "--allow", "bank")
    says(owner, "fetching")
    owner.send_signal(signal.SIGINT)
    says(owner, "undoing")
    owner.send_signal(signal.SIGINT)
    owner.communicate(timeout=20)
    assert owner.returncode == 130
    assert newest()["state"] == "REVERTING"
    assert newest()["resumable"] is True
    (tmp_path / "closed").unlink()
    run = newest()["run_id"][:8]
    assert taskrun("cancel", run, "--allow", "bank") == (0, f"run {run} is CANCELLED\n", "taskrun: undoing\n")


def test_prompts_on_a_terminal(call, flow, tmp_path, newest):
    """Ctrl-D leaves the run suspended; a wrong answer is asked for again; the last answer resumes it."""
    flow(
        '<task><steps><suspend name="ask"><input name="n" type="int" mandatory="true"/><resume-when>n &gt; 2</resume-when>'
        '<output name="n"/></suspend></steps><output name="n"/></task>'
    )
    status, shown = on_terminal(tmp_path, "flow.task.xml", "--interactive", "-q", types="\x04")
    run = newest()["run_id"][:8]
    assert status == 4
    assert "main/ask: ask\n  n (int): " in shown
    assert f"resume it with: taskrun resume {run} --input n=…" in shown
    status, shown = on_terminal(tmp_path, "resume", run, "--interactive", "-q", types="x\n1\n3\n")
    assert status == 0, shown
    assert shown.count("  n (int): ") == 3
    assert "'x' is not of type int" in shown
    assert shown.endswith('{\n  "n": 3\n}\n')


def test_a_full_disk(call, flow, tmp_path):
    """A full disk ends the run with 3; committed steps are not executed again after it."""
    flow(WRITER)
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, "flow.task.xml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "Traceback" not in ended.stderr
    assert "what was committed before is safe" in ended.stderr
    assert "is RUNNING\n    what was recorded is safe; resume it with: taskrun resume" in ended.stderr
    done = ended.stderr.count("taskrun: did")
    assert 1 < done < 40
    run = json.loads(call("runs", "--json").out)[0]
    assert run["resumable"] is True
    resumed = call("resume", run["run_id"])
    assert resumed.status == 0, resumed.err
    assert resumed.err.count("taskrun: did") == 42 - done  # the last of them was done and could not be recorded
