"""``taskrun FLOW``: standard output, standard error, inputs and exit statuses."""

from __future__ import annotations

import json

import pytest

from taskrun.cli import COMMANDS

ADD = """<task>
  <input name="x" type="int" mandatory="true"><description>a number</description></input>
  <steps><step name="a"><input name="x"/><source>x + 1</source><output name="y"/></step></steps>
  <output name="y"/>
</task>"""
ANY = '<task><steps><step name="a"><input name="v"/><source>v</source></step></steps></task>'


def test_outputs_are_one_json_document(taskrun, flow):
    """Standard output has exactly the outputs, standard error is empty."""
    flow(ADD)
    assert taskrun("flow.task.xml", "--input", "x=1") == (0, '{"y": 2}\n', "")


def test_the_word_run_is_optional(taskrun, flow):
    """``run FLOW`` equals ``FLOW``, and a file that is named like a command can be run."""
    flow(ADD, "check")
    assert taskrun("run", "check", "--input", "x=1").out == '{"y": 2}\n'
    assert taskrun("./check", "--input", "x=1").out == '{"y": 2}\n'


def test_options_may_come_first(taskrun, flow):
    """Options may stand before the flow."""
    flow(ADD)
    assert taskrun("--input", "x=1", "flow.task.xml").out == '{"y": 2}\n'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("[1, 2]", [1, 2]), ("text", "text"), ("", ""), ("null", None), ('"1"', "1"), ("a=b", "a=b"),
        ("@note.txt", "from a file\n"), ("@@x", "@x"), ("ä→💥", "ä→💥"),
    ],
)  # fmt: skip
def test_input_without_a_type(taskrun, flow, tmp_path, text, value):
    """A value is parsed as JSON, or is text if it is not JSON; ``@`` reads a file."""
    flow(ANY)
    (tmp_path / "note.txt").write_text("from a file\n")
    ended = taskrun("flow.task.xml", "--input", f"v={text}")
    assert json.loads(ended.out) == {"RESULT": value}


def test_inputs_from_a_file_and_from_standard_input(taskrun, flow, tmp_path):
    """``--inputs`` reads a JSON object; ``--input`` overrides it."""
    flow(ADD)
    (tmp_path / "in.json").write_text('{"x": 5}')
    assert taskrun("flow.task.xml", "--inputs", "in.json").out == '{"y": 6}\n'
    assert taskrun("flow.task.xml", "--inputs", "-", stdin='{"x": 7}').out == '{"y": 8}\n'
    assert taskrun("flow.task.xml", "--inputs", "in.json", "--input", "x=1").out == '{"y": 2}\n'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "input 'x' (int), a number: is mandatory and missing"),
        (("--input", "x=3.5"), "'3.5' is not of type int"),
        (("--input", "z=1"), "unknown input 'z'"),
        (("--input", "x"), "expected NAME=VALUE"),
        (("--input", "x=1", "--input", "x=2"), "given twice"),
        (("--input", "x=@nowhere"), "cannot read 'nowhere'"),
        (("--inputs", "nowhere.json"), "No such file"),
        (("--inputs", "flow.task.xml"), "not JSON"),
        (("--inputs", "list.json"), "expected a JSON object"),
    ],
)
def test_wrong_inputs(taskrun, flow, tmp_path, words, message):
    """Wrong inputs are reported on standard error, with exit status 2."""
    flow(ADD)
    (tmp_path / "list.json").write_text("[1]")
    ended = taskrun("flow.task.xml", *words)
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_all_wrong_inputs_at_once(taskrun, flow):
    """All wrong inputs are reported at once."""
    flow(ADD)
    ended = taskrun("flow.task.xml", "--input", "z=1", "--input", "xx=2")
    assert "'z'" in ended.err
    assert "unknown input 'xx'; did you mean 'x'?" in ended.err
    assert "input 'x' (int)" in ended.err


def test_a_failing_step(taskrun, flow):
    """A failing step is reported with location, cause and outer steps, without a traceback; exit status 1."""
    flow(
        '<task>\n  <steps>\n    <sequential name="s"><steps>\n      <step name="b"><source>1 // 0</source></step>\n'
        "    </steps></sequential>\n  </steps>\n</task>"
    )
    ended = taskrun("flow.task.xml")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(
        "flow.task.xml:4:7: error[step-failed]: main/s/b: ZeroDivisionError: integer division or modulo by zero\n"
        '          <step name="b"><source>1 // 0</source></step>\n          ^\n'
    )
    assert "in step main/s/b (flow.task.xml:4:7)\n    in step main/s (flow.task.xml:3:5)" in ended.err
    assert "Traceback" not in ended.err
    assert "Traceback" in taskrun("flow.task.xml", "-v").err


def test_verbose_writes_a_line_per_step(taskrun, flow):
    """``-v`` writes one line per finished step to standard error."""
    flow(
        '<task><steps><step name="a"><source>1</source></step>'
        '<step name="b"><when>RESULT > 1</when><source>2</source></step></steps></task>'
    )
    ended = taskrun("flow.task.xml", "-v")
    assert ended.out == '{"RESULT": 1}\n'
    assert ended.err.splitlines()[0].startswith("✓ main/a  ")
    assert ended.err.splitlines()[1] == "– main/b  skipped: when 'RESULT > 1' was false"
    plain = taskrun("flow.task.xml", "-v", env={"PYTHONIOENCODING": "ascii"})
    assert plain.err.startswith("ok main/a")


def test_events_as_json_lines(taskrun, flow, tmp_path):
    """``--events`` writes each event as a line of JSON."""
    flow('<task><steps><step name="a"><source>1</source></step></steps></task>')
    assert taskrun("flow.task.xml", "--events", "events.jsonl").status == 0
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["RunStarted", "StepStarted", "StepFinished", "RunFinished"]
    assert events[2]["path"] == "main/a"
    assert events[2]["location"] == "flow.task.xml:1:14"
    ended = taskrun("flow.task.xml", "--events", "nowhere/events.jsonl")
    assert (ended.status, ended.out) == (3, "")


def test_dumped_values_and_ignored_failures_are_shown(taskrun, flow):
    """Dumped values and allowed failures are logged to standard error."""
    flow(
        '<task><input name="x" dump="true"/><steps>'
        '<step name="a" allowFailure="true"><source>1 // 0</source></step></steps></task>'
    )
    ended = taskrun("flow.task.xml", "--input", "x=1")
    assert ended.status == 0
    assert "taskrun: main input x = 1\n" in ended.err
    assert "taskrun: warning: main/a failed and was allowed to: ZeroDivisionError" in ended.err


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("date(2026, 1, 2)", '"2026-01-02"'), ("Decimal('1.50')", "1.5"), ("Decimal('0.1234567890123456789')", '"0.1234567890123456789"'),
        ("{1, 2}", "[1, 2]"), ("(1, None)", "[1, null]"), ("'ä'", '"ä"'), ("{1: 2}", '{"1": 2}'), ("10 ** 30", str(10**30)),
    ],
)  # fmt: skip
def test_values_as_json(taskrun, flow, source, shown):
    """Values of other types are printed as JSON without loss."""
    flow(f'<task><steps><step name="a"><source>{source}</source></step></steps></task>')
    assert taskrun("flow.task.xml").out == f'{{"RESULT": {shown}}}\n'


@pytest.mark.parametrize("source", ["len", "float('nan')", "b'x'", "{(1, 2): 3}"])
def test_values_without_a_json_form(taskrun, flow, source):
    """An output without a JSON form is an error that names it."""
    flow(f'<task><steps><step name="a"><source><![CDATA[{source}]]></source></step></steps></task>')
    ended = taskrun("flow.task.xml", "--no-record")
    assert (ended.status, ended.out) == (1, "")
    assert "output 'RESULT' cannot be printed" in ended.err


def test_results_of_a_parallel_as_json(taskrun, flow):
    """The collected results of a ``<parallel>`` are printed as objects."""
    flow('<task><steps><parallel><steps><step name="a"><source>1</source></step></steps></parallel></steps></task>')
    result = json.loads(taskrun("flow.task.xml").out)["RESULT"]
    assert result["a"]["outputs"] == {"RESULT": 1}
    assert result["a"]["error"] is None


def test_flags_path_and_allow(taskrun, flow, tmp_path):
    """Settings are read from options, the environment and pyproject.toml."""
    flow('<task><steps><step name="a"><flags match="big"/><source>1</source></step></steps></task>', "flags.task.xml")
    assert taskrun("flags.task.xml", "-f", "big").out == '{"RESULT": 1}\n'
    assert taskrun("flags.task.xml").out == '{"RESULT": null}\n'
    (tmp_path / "lib" / "one").mkdir(parents=True)
    flow(ADD, "lib/one/v1.task.xml")
    flow(
        '<task><steps><call-task taskName="one"><input name="x" value="${1}"/><output name="y"/></call-task></steps><output name="y"/></task>'
    )
    assert taskrun("flow.task.xml", "--path", "lib").out == '{"y": 2}\n'
    assert taskrun("flow.task.xml", env={"TASKRUN_PATH": "lib"}).out == '{"y": 2}\n'
    assert "tried" in taskrun("flow.task.xml").err
    flow(
        '<task><steps><invoke-static method="math:sqrt"><input name="x" value="${16}"/></invoke-static></steps></task>',
        "m.task.xml",
    )
    refused = taskrun("m.task.xml")
    assert refused.status == 2
    assert "add --allow 'math'" in refused.err
    assert taskrun("m.task.xml", "--allow", "math").out == '{"RESULT": 4.0}\n'
    (tmp_path / "pyproject.toml").write_text('[tool.taskrun]\nallow = ["math"]\n')
    assert taskrun("m.task.xml").out == '{"RESULT": 4.0}\n'
    (tmp_path / "pyproject.toml").write_text("[tool.taskrun]\nallow = 3\n")
    assert taskrun("m.task.xml").status == 3


def test_wrong_command_lines(taskrun):
    """A wrong command line ends with exit status 2 and suggests the nearest name."""
    assert taskrun().status == 2
    assert "did you mean '--input'?" in taskrun("x.task.xml", "--inptu", "x=1").err
    ended = taskrun("chekc", "x")
    assert ended.status == 2
    ended = taskrun("chekc")
    assert ended.status == 2
    assert "did you mean 'check'?" in ended.err


def test_help_and_version(taskrun, flow):
    """``--help`` works for the program, a command and a flow; ``--version`` prints the version."""
    assert taskrun("--version").out.startswith("taskrun ")
    assert "check FILE" in taskrun("--help").out
    assert "--strict" in taskrun("check", "--help").out
    flow(ADD)
    shown = taskrun("flow.task.xml", "--help").out
    assert "--events" in shown
    assert "x (int, mandatory)             a number" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(call, name):
    """``--help`` of every command prints its summary and exits with 0."""
    ended = call(name, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert f"usage: taskrun {name} " in ended.out
    assert COMMANDS[name][1][1:20] in ended.out


def test_closed_and_full_standard_output(taskrun, flow, tmp_path):
    """A closed pipe causes no traceback; a full disk is reported."""
    import subprocess
    import sys

    flow(ANY)
    shell = f"{sys.executable} -m taskrun flow.task.xml --input v=1 | true"
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    full = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m taskrun flow.task.xml --input v=1 > /dev/full"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert full.returncode == 1
    assert "No space left" in full.stderr
