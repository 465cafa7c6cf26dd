"""Invalid files: an error at the right location, the right exit status, nothing on standard output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STEP = '<step name="a"><source>1</source></step>'


def task(steps: str, inputs: str = "") -> str:
    """Return the text of a task with these steps."""
    return f"<task>{inputs}\n<steps>\n{steps}\n</steps></task>"


CASES = {
    "empty file": ("", 2, "1:1: error[xml]: not well-formed XML: no element found"),
    "malformed": ("<task><steps></task>", 2, "error[xml]: not well-formed XML: mismatched tag"),
    "unclosed": ("<task>\n<steps>", 2, "the element that is open here is <steps> from line 2, column 1"),
    "not xml": ("{}", 2, "error[xml]"),
    "dtd": ('<!DOCTYPE task [<!ENTITY a "b">]>\n<task>&a;</task>', 2, "1:1: error[dtd]"),
    "external entity": ('<!DOCTYPE task SYSTEM "file:///etc/passwd"><task/>', 2, "error[dtd]"),
    "undefined entity": ("<task>&nope;</task>", 2, "undefined entity"),
    "too large": ("<task>" + " " * 10_000_000 + "</task>", 2, "error[too-large]"),
    "too deep": ("<task>" + "<steps><sequential>" * 500 + "</sequential></steps>" * 500 + "</task>", 2, "too-deep"),
    "unknown element": (task("<stepp/>"), 2, "3:1: error[unknown-element]"),
    "unknown attribute": (task('<step name="a" tiemout="1"/>'), 2, "3:16: error[unknown-attribute]"),
    "wrong root": ("<flow/>", 2, "error[wrong-root]"),
    "undeclared prefix": (task('<step name="a" foo:b="1"/>'), 2, "3:16: error[prefix]: the prefix of 'foo:b' is not declared"),
    "duplicate names": (task(STEP + "\n" + STEP), 2, "4:7: error[duplicate-name]: a second step 'a'"),
    "next to nowhere": (task('<step name="a" next="c"><source>1</source></step>'), 2, "3:16: error[unknown-next-step]"),
    "bad type": (task(STEP, '<input name="x" type="Integre"/>'), 2, "1:23: error[bad-value]"),
    "bad duration": (task('<step name="a" timeout="soon"/>'), 2, "3:16: error[bad-value]"),
    "unknown bean": (task('<simple name="a" bean="nobody"/>'), 2, "3:18: error[unknown-bean]: there is no bean 'nobody'"),
    "import not allowed": (task('<invoke-static name="a" method="os:getcwd"/>'), 2, "3:25: error[import-not-allowed]"),
    "script syntax": (task('<step name="a">\n<source>\n  x = 1\n  return x +* 2\n</source></step>'), 2, "6:13: error[script-syntax]"),
    "script in an attribute": (task('<loop name="l" itemsExpr="[1,,2]"><steps/></loop>'), 2, "3:30: error[script-syntax]"),
    "missing source of a call": (task('<call-task name="c" taskModelPath="none.task.xml"/>'), 2, "3:21: error[no-file]"),
    "calls without end": (task('<call-task name="c" taskModelPath="flow.task.xml"/>'), 2, "error[endless-calls]"),
    "a step that raises": (task('<step name="a"><source>1 // 0</source></step>'), 1, "3:1: error[step-failed]: main/a: ZeroDivisionError"),
    "a script without end": (task('<step name="a"><source>while True:\n  pass</source></step>'), 1, "error[step-failed]: main/a: ScriptBudget"),
    "a loop without end": (task('<loop name="l"><steps/></loop>'), 2, "3:1: error[endless-loop]"),
    "a pause that is not recorded": (task('<suspend name="s" saveState="false"/>'), 2, "3:19: error[no-meaning]: a step that is not"),
    "an undoing that is no script": (task('<step name="a"><revert>1 +</revert></step>'), 2, "error[script-syntax]"),
    "no base": ('<task x:extends="base.task.xml"><steps/></task>', 2, "1:7: error[no-base]: 'base.task.xml' not found"),
    "custom type": (task('<custom name="a" customType="x:Y"/>'), 2, "error[no-library]: no tag library has the prefix 'x'"),
    "nul byte": ("<task>\0</task>", 2, "error[xml]"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_file(taskrun, flow, name):
    """An invalid flow is reported at its location, without a traceback."""
    text, status, message = CASES[name]
    flow(text)
    ended = taskrun("flow.task.xml")
    assert (ended.status, ended.out) == (status, ""), ended.err
    assert message in ended.err
    assert ended.err.startswith("flow.task.xml:")
    assert "Traceback" not in ended.err


def test_other_encodings(taskrun, flow, tmp_path):
    """Files in other encodings are read as declared; wrong bytes are reported at their location."""
    text = "<task><steps><step name=\"a\"><source>'ä'</source></step></steps></task>"
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "flow.task.xml").write_bytes(text.encode(encoding))
        assert taskrun("flow.task.xml").out == '{"RESULT": "ä"}\n'
    (tmp_path / "flow.task.xml").write_bytes(b'<?xml version="1.0" encoding="latin-1"?>' + text.encode("latin-1"))
    assert taskrun("flow.task.xml").out == '{"RESULT": "ä"}\n'
    (tmp_path / "flow.task.xml").write_bytes(b"<task>\n  \xe4</task>")
    assert "flow.task.xml:2:3: error[encoding]: byte 0xe4 is not valid utf-8" in taskrun("flow.task.xml").err
    (tmp_path / "flow.task.xml").write_bytes(b'<?xml version="1.0" encoding="klingon"?><task/>')
    assert "unknown encoding 'klingon'" in taskrun("flow.task.xml").err


def test_a_missing_file_is_reported(taskrun, flow, tmp_path):
    """A missing file is reported with the nearest name; a folder is not a flow."""
    flow(task(STEP))
    ended = taskrun("flwo.task.xml")
    assert ended.status == 2
    assert "did you mean 'flow.task.xml'?" in ended.err
    (tmp_path / "folder").mkdir()
    assert taskrun("folder").status == 2


@pytest.mark.parametrize("command", ["check --json", "explain", "run"])
def test_a_closed_pipe(tmp_path: Path, command: str) -> None:
    """A closed pipe on standard output causes no message."""
    path = tmp_path / "f.task.xml"
    path.write_text("<task><steps><step name='a'><source>1</source></step></steps></task>")
    line = f"'{sys.executable}' -m taskrun {command} '{path}' | true"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr == ""
