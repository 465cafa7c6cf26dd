"""``taskrun convert``: conversions between the forms, and rejected calls."""

from __future__ import annotations

import json

import pytest

FLOW = """<task>
  <input name="x" type="int"/>
  <steps>
    <step name="a"><source><![CDATA[
      if x < 1:
          return "small"
      return "big"
    ]]></source></step>
  </steps>
</task>
"""
TIDY_YAML = """inputs:
  - name: x
    type: int
steps:
  - type: step
    name: a
    source: |
      if x < 1:
          return "small"
      return "big"
"""
TIDY_XML = """<?xml version="1.0" encoding="UTF-8"?>
<task>
  <input name="x" type="int"/>
  <steps>
    <step name="a">
      <source><![CDATA[
        if x < 1:
            return "small"
        return "big"
      ]]></source>
    </step>
  </steps>
</task>
"""


def test_round_trip_through_all_forms(taskrun, flow, tmp_path):
    """A flow stays the same when it is converted through all forms."""
    flow(FLOW)
    for one, other in [("xml", "yaml"), ("yaml", "json"), ("json", "yml"), ("yml", "xml")]:
        ended = taskrun("convert", "--force", f"flow.task.{one}", f"flow.task.{other}")
        assert ended == (0, "", "")
        ended = taskrun(f"flow.task.{other}", "--input", "x=3")
        assert (ended.status, json.loads(ended.out)) == (0, {"RESULT": "big"})
    assert TIDY_XML.replace("  if", "if").splitlines()[0] in (tmp_path / "flow.task.xml").read_text()
    assert taskrun("check", "--strict", ".").err == "taskrun check: 4 files, 0 errors\n"


def test_tidy(taskrun, flow):
    """``--tidy`` indents scripts to match their element."""
    flow(FLOW)
    assert taskrun("convert", "--tidy", "flow.task.xml", "-", "--to", "yaml") == (0, TIDY_YAML, "")
    flow(TIDY_YAML, "flow.task.yaml")
    assert taskrun("convert", "--tidy", "flow.task.yaml", "-", "--to", "xml") == (0, TIDY_XML, "")


def test_nothing_is_overwritten(taskrun, flow, tmp_path):
    """An existing file is overwritten only with ``--force``."""
    flow(FLOW)
    flow("mine", "flow.task.yaml")
    ended = taskrun("convert", "flow.task.xml", "flow.task.yaml")
    assert ended == (2, "", "taskrun convert: 'flow.task.yaml' exists already; use --force to overwrite it\n")
    assert (tmp_path / "flow.task.yaml").read_text() == "mine"
    assert taskrun("convert", "--force", "flow.task.xml", "flow.task.yaml").status == 0
    assert (tmp_path / "flow.task.yaml").read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["flow.txt", "flow.yaml"], "'flow.txt' does not end in"),
        (["flow.task.xml", "flow.txt"], "'flow.txt' does not end in"),
        (["flow.task.xml", "-"], "standard output needs a form"),
        (["flow.task.xml", "a.yaml", "--to", "json"], "--to json contradicts the suffix of"),
        (["missing.xml", "a.yaml"], "cannot read 'missing.xml'"),
    ],
)
def test_wrong_command_lines(taskrun, flow, tmp_path, words, message):
    """A wrong command line ends with exit status 2, and nothing is written."""
    flow(FLOW)
    ended = taskrun("convert", *words)
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert [file.name for file in tmp_path.iterdir()] == ["flow.task.xml"]


def test_malformed_and_invalid_files(taskrun, flow):
    """A malformed file is reported at its location; an invalid but well-formed flow is converted."""
    flow("steps:\n  - name: a\n", "flow.task.yaml")
    ended = taskrun("convert", "flow.task.yaml", "-", "--to", "xml")
    assert ended.status == 2
    assert (
        "flow.task.yaml:2:5: error[wrong-form]: the type of this step is missing\n      - name: a\n        ^\n"
        in ended.err
    )
    flow("<flow><what/></flow>")
    assert taskrun("convert", "flow.task.xml", "-", "--to", "json").status == 0


def test_a_missing_folder(taskrun, flow, tmp_path):
    """The error of the operating system is reported, with exit status 1."""
    flow(FLOW)
    ended = taskrun("convert", "flow.task.xml", "none/flow.yaml")
    assert ended == (1, "", "taskrun convert: cannot write 'none/flow.yaml': No such file or directory\n")


def test_other_flows_are_found_in_any_form(taskrun, flow, tmp_path):
    """Flows are found by name and version in any form; the highest version is used, XML first."""
    flow('<task><steps><call-task name="a" taskName="sum"/></steps></task>')
    (tmp_path / "sum").mkdir()
    flow("<task><steps><step><source>return 1</source></step></steps></task>", "sum/v1.task.xml")
    flow("steps: [{type: step, source: return 2}]", "sum/v2.task.yaml")
    assert taskrun("flow.task.xml").out == '{"RESULT": 2}\n'
    flow('{"steps": [{"type": "step", "source": "return 3"}]}', "sum/v10.task.json")
    assert taskrun("flow.task.xml").out == '{"RESULT": 3}\n'
    flow("<task><steps><step><source>return 4</source></step></steps></task>", "sum/v10.task.xml")
    assert taskrun("flow.task.xml").out == '{"RESULT": 4}\n'


def test_a_failure_points_into_the_yaml(taskrun, flow):
    """The location of a script error is inside the YAML block."""
    flow("steps:\n  - type: step\n    name: a\n    source: |\n      y = 1\n      return y / 0\n", "flow.task.yaml")
    ended = taskrun("flow.task.yaml")
    assert ended.status == 1
    assert "in script at flow.task.yaml:6:14: return y / 0" in ended.err
    flow("steps:\n  - type: step\n    source: |\n      y = 1\n      return (y\n", "flow.task.yaml")
    assert "flow.task.yaml:5:14: error[script-syntax]" in taskrun("check", "flow.task.yaml").err
