"""Output on a terminal, and signals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

import pytest
from children import alive, start, wait_until

SLEEPING = """<task><steps>
  <sleep name="s" sleepMillisExpr="60000"><finally>logInfo("cleaned up")</finally></sleep>
</steps></task>"""
STUCK = """<task><steps><invoke-static name="s" method="stuck:stay"/></steps></task>"""
IN_PROCESS = """<task><steps><invoke-static name="s" method="stuck:stay" executor="process"/></steps></task>"""
STUCK_MODULE = """import os, sys, time
def stay():
    with open("started", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_a_sleeping_step(flow, tmp_path, number):
    """A signal stops the sleeping step at once and runs its finally script; exit status 130."""
    flow(SLEEPING)
    process = start(tmp_path, "flow.task.xml", "--events", "events")
    wait_until(lambda: (tmp_path / "events").exists() and "StepStarted" in (tmp_path / "events").read_text())
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "cleaned up" in err
    assert "\ntaskrun: cancelled\ntaskrun: run " in err
    assert "Traceback" not in err


def test_a_signal_abandons_thread_work(flow, tmp_path):
    """A step that blocks a thread does not keep the process alive."""
    flow(STUCK)
    (tmp_path / "stuck.py").write_text(STUCK_MODULE)
    process = start(tmp_path, "flow.task.xml", "--allow", "stuck")
    wait_until((tmp_path / "started").exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err.startswith("taskrun: cancelled\ntaskrun: run ")
    assert "is CANCELLED" in err


def test_a_signal_kills_a_process_step(flow, tmp_path):
    """The worker process of a step is killed."""
    flow(IN_PROCESS)
    (tmp_path / "stuck.py").write_text(STUCK_MODULE)
    process = start(tmp_path, "flow.task.xml", "--allow", "stuck")
    wait_until(lambda: (tmp_path / "started").exists() and (tmp_path / "started").read_text())
    worker = int((tmp_path / "started").read_text())
    assert alive(worker)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.startswith("taskrun: cancelled\n")
    wait_until(lambda: not alive(worker))


def test_a_terminal_shows_steps_and_indented_outputs(flow, tmp_path):
    """On a terminal each finished step has a line, in colour, and the outputs are indented."""
    flow('<task><steps><step name="a"><source>[1]</source></step></steps></task>')
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "taskrun", "flow.task.xml"],
        cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": ""},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=20) == 0
    text = shown.decode("utf-8").replace("\r\n", "\n")
    assert "✓ main/a" in text
    assert '{\n  "RESULT": [\n    1\n  ]\n}\n' in text
