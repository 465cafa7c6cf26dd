"""``taskrun check`` and ``taskrun explain``."""

from __future__ import annotations

import json

GOOD = '<task><input name="x"/><steps><step name="a"><input name="x"/><source>x</source></step></steps></task>'
BAD = """<task>
  <steps>
    <step name="a" next="b"><source>1 +</source></step>
    <stepp name="c"/>
  </steps>
</task>"""
WARNED = """<task>
  <steps>
    <step name="a"><source>1</source><catch>2</catch><retry maxRetryCount="1"/></step>
    <exit name="e"/>
    <step name="never"><input name="RESULT"/><source>3</source></step>
    <parallel name="p"><steps>
      <step name="l"><source>1</source><output name="v"/></step>
      <step name="r"><source>2</source><output name="v"/></step>
    </steps></parallel>
  </steps>
</task>"""


def test_good_files(taskrun, flow):
    """For valid files the exit status is 0 and the summary has the number of files."""
    flow(GOOD)
    assert taskrun("check", "flow.task.xml") == (0, "", "taskrun check: 1 file, 0 errors\n")
    assert taskrun("check", "--strict", "flow.task.xml").status == 0


def test_every_problem_of_every_file(taskrun, flow):
    """The problems of all files are reported with location, source line and hint; exit status 2."""
    flow(BAD, "one.task.xml")
    flow("<task>", "two.task.xml")
    ended = taskrun("check", "one.task.xml", "two.task.xml", "three.task.xml")
    assert ended.status == 2
    assert ended.out == ""
    assert "one.task.xml:3:40: error[script-syntax]" in ended.err
    assert "one.task.xml:4:5: error[unknown-element]" in ended.err
    assert "did you mean 'step'?" in ended.err
    assert "two.task.xml:1:7: error[xml]" in ended.err
    assert "three.task.xml:1:1: error[no-file]" in ended.err


def test_json_for_editors(taskrun, flow):
    """``--json`` prints the problems as one array."""
    flow(BAD)
    ended = taskrun("check", "--json", "flow.task.xml")
    problems = json.loads(ended.out)
    assert {(item["line"], item["column"], item["severity"], item["code"]) for item in problems} == {
        (3, 40, "error", "script-syntax"),
        (4, 5, "error", "unknown-element"),
    }
    assert set(problems[0]) == {"path", "line", "column", "severity", "code", "message", "hint"}


def test_strict_counts_warnings(taskrun, flow):
    """Warnings are errors only with ``--strict``."""
    flow(WARNED)
    ended = taskrun("check", "flow.task.xml")
    assert ended.status == 0
    for code in ("catch-before-retry", "unreachable", "exported-twice", "unread-input", "unused-output"):
        assert f"warning[{code}]" in ended.err, code
    strict = taskrun("check", "--strict", "flow.task.xml")
    assert strict.status == 2
    assert "error[unreachable]" in strict.err


def test_folders_and_nothing_to_check(taskrun, flow, tmp_path):
    """For a folder, the task files below it are checked."""
    (tmp_path / "sub").mkdir()
    flow(GOOD, "sub/a.task.xml")
    flow(GOOD, "sub/b.task-lib.xml")
    assert "2 files" in taskrun("check", "sub").err
    (tmp_path / "empty").mkdir()
    ended = taskrun("check", "empty")
    assert ended.status == 2
    assert "no task files" in ended.err


def test_an_unknown_bean_is_only_a_warning(taskrun, flow):
    """An unknown bean is a warning for ``check`` and an error for ``run``."""
    flow('<task><steps><invoke name="a" bean="shop" method="pay"/></steps></task>')
    assert "warning[unknown-bean]" in taskrun("check", "flow.task.xml").err
    ended = taskrun("flow.task.xml")
    assert ended.status == 2
    assert "error[unknown-bean]: there is no bean 'shop'" in ended.err


def test_explain(taskrun, flow):
    """``explain`` prints the woven tree, outermost decorator first."""
    flow(
        '<task><steps>\n<step name="a" timeout="1s" allowFailure="true"><when>True</when><source>1</source>'
        '<output name="y" value="${1}"/><retry maxRetryCount="1"/><catch>2</catch><finally>3</finally></step>\n'
        '<choose name="c"><decider>1</decider><case match="1"><steps><exit name="e"/></steps></case></choose>\n'
        "</steps></task>"
    )
    assert taskrun("explain", "flow.task.xml").out == (
        "task main (flow.task.xml:1:1)\n"
        "  step a (flow.task.xml:2:1)\n"
        "      when > call > allowFailure > timeout > retry > outputs > finally > catch\n"
        "  choose c (flow.task.xml:3:1)\n"
        "      call\n"
        "    case case1 (flow.task.xml:3:38)\n"
        "        call\n"
        "      exit e (flow.task.xml:3:61)\n"
        "          call\n"
    )
