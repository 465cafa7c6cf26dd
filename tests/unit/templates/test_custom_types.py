"""Test custom types: the steps that replace custom steps, and their problems."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_flows import Bench
from templates import Templates, locations_of, messages_of

from taskrun import TaskManager
from taskrun.templates.element import xml_of

LIBRARY = """
<MyFunc>
  <attr name="a" type="int"/><attr name="b" type="int"/>
  <slot name="exec"><arg name="x"/><arg name="y"/></slot>
  <source><c:unit xpl:slot="exec" xpl:slotArgs="${{'x': a, 'y': b}}"/></source>
</MyFunc>
"""
CUSTOM = """<task xmlns:test="/nop/test/test.xlib" x:extends="/nop/task/lib/common.task.xml">
<input name="b"/>
<steps>
<custom name="step1" customType="test:MyFunc" test:a="${1}">
<input name="b"/>
<test:exec>
<c:script>
return x + y;
</c:script>
</test:exec>
</custom>
</steps>
</task>
"""
TRANSLATED = (
    '<xpl name="step1"><input name="b"/><source><test:MyFunc xpl:lib="/nop/test/test.xlib" a="${1}" b="${b}"><exec>'
    "<c:script>\nreturn x + y;\n</c:script></exec></test:MyFunc></source></xpl>"
)
SHORT = '<task><steps><xpl name="a" in:x="1" out:RESULT="x+y"><in:y mandatory="true">2</in:y></xpl></steps></task>'
LONG = (
    '<xpl name="a"><input name="x"><source>1</source></input><input name="y" mandatory="true"><source>2</source></input>'
    '<output name="RESULT"><source>x+y</source></output></xpl>'
)


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    """Return a folder with the library of the documentation."""
    made = Templates(Bench(tmp_path))
    made.library(LIBRARY, "nop/test/test.xlib")
    return made


def expanded(templates: Templates, text: str) -> str:
    """Return the steps of a flow after all stages that build its tree."""
    path = templates.bench.write(text)
    steps = TaskManager(tags={"mine": {"F": print}}).flows.expand(path).child("steps")
    assert steps is not None
    return "".join(map(xml_of, steps.children))


def test_golden_custom_type(templates: Templates) -> None:
    """The custom step of the documentation is rewritten as documented."""
    assert expanded(templates, CUSTOM) == TRANSLATED


def test_golden_short_forms(templates: Templates) -> None:
    """The short forms in: and out: are rewritten as documented."""
    assert expanded(templates, SHORT) == LONG


def test_it_runs(templates: Templates) -> None:
    """The slot can read its arguments; the attributes are those of the step and its inputs."""
    assert templates.bench.run(CUSTOM, {"b": 41}).result == 42


def flow(step: str, head: str = 'xmlns:t="t.xlib"') -> str:
    """Return a task with one custom step in line 2."""
    return f"<task {head}><steps>\n{step}\n</steps></task>"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ('<step name="s" customType="t:F"/>', '<step name="s"><source><t:F xpl:lib="t.xlib"/></source></step>'),
        ('<custom name="s" customType="t:F" t:a="1"><input name="a"/><when>1</when></custom>',
         '<xpl name="s"><input name="a"/><when>1</when><source><t:F xpl:lib="t.xlib" a="1"/></source></xpl>'),
        ('<custom name="s" customType="t:F"><meta a="1"><b/></meta><retry maxRetryCount="1"/></custom>',
         '<xpl name="s"><retry maxRetryCount="1"/><source><t:F xpl:lib="t.xlib" a="1"><b/></t:F></source></xpl>'),
        ('<custom name="s" customType="t:F" t:a="1"><meta a="2"/></custom>', '<xpl name="s"><source><t:F xpl:lib="t.xlib" a="1"/></source></xpl>'),
        ('<sequential name="q"><steps><custom name="s" customType="t:F"/></steps></sequential>',
         '<sequential name="q"><steps><xpl name="s"><source><t:F xpl:lib="t.xlib"/></source></xpl></steps></sequential>'),
        ('<custom name="s" customType="u:F" xmlns:u="u.xlib" u:a="1"/>', '<xpl name="s" xmlns:u="u.xlib"><source><u:F xpl:lib="u.xlib" a="1"/></source></xpl>'),
        ('<custom name="s" customType="c:unit"/>', '<xpl name="s"><source><c:unit/></source></xpl>'),
        ('<custom name="s" customType="p:F" xmlns:p="mine"/>', '<xpl name="s" xmlns:p="mine"><source><p:F/></source></xpl>'),
        ('<custom name="s" customType="t:Two" n="2"/>', '<step name="s-1"><source>1</source></step><step name="s-2"><source>2</source></step>'),
    ],
)  # fmt: skip
def test_translation(templates: Templates, step: str, expected: str) -> None:
    """Each part of a custom step moves to the right place."""
    two = (
        '<Two-generator><attr name="node"/><attr name="dsl_root"/><source><step name="${node.attrText(\'name\')}-1"><source>1</source></step>'
        "<step name=\"${node.attrText('name')}-2\"><source>2</source></step></source></Two-generator>"
    )
    for name in ("t.xlib", "u.xlib"):
        templates.library(f"<F><source><c:script>1</c:script></source></F>{two}", name)
    assert expanded(templates, flow(step)) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ('<custom name="s"/>', ["missing-attribute 2:1"]),
        ('<custom name="s" customType="F"/>', ["invalid-custom-type 2:18"]),
        ('<custom name="s" customType="t:"/>', ["invalid-custom-type 2:18"]),
        ('<custom name="s" customType="t:F:g"/>', ["invalid-custom-type 2:18"]),
        ('<custom name="s" customType="v:F"/>', ["no-library 2:18"]),
        ('<custom name="s" customType="t:F"><source>1</source></custom>', ["doubled 2:35"]),
        ('<custom name="s" customType="t:F"><t:c/></custom>', ["unknown-slot 2:35"]),
        ('<custom name="s" customType="t:F" t:c="1"/>', ["unknown-attribute 2:35"]),
        ('<custom name="s" customType="t:F" t:a="${1 +}"/>', ["script-syntax 2:45"]),
        ('<custom name="s" customType="t:F"><input name="c" value="1"/></custom>', ["unknown-attribute 2:35"]),
        ('<custom name="s" customType="t:G"/>', ["unknown-tag 2:1"]),
        ('<custom name="s" customType="u:F" xmlns:u="no.xlib"/>', ["no-library 2:35"]),
        ('<custom name="s" customType="u:F" xmlns:u="nothing"/>', ["no-library 2:35"]),
        ('<custom name="s" customType="t:Bad"/>', ["unknown-tag t.xlib:2:86"]),
        ('<custom name="s" customType="t:Fails"/>', ["generator-failed 2:1"]),
        ('<custom name="s" customType="t:F">text</custom>', ["unexpected-text 2:35"]),
        ('<custom name="s" customType="t:F"><meta>text</meta></custom>', ["unexpected-text 2:35"]),
        ('<custom name="s" customType="t:F"><meta/><meta/></custom>', ["doubled 2:42"]),
    ],
)  # fmt: skip
def test_wrong(templates: Templates, step: str, expected: list[str]) -> None:
    """Each problem is reported in the author's file or in the library."""
    templates.library(
        '<F><attr name="a"/><source><c:script>1</c:script></source></F><Bad-generator><source><c:iff/></source></Bad-generator>'
        "<Fails-generator><source><c:script>return 1 / 0</c:script></source></Fails-generator>"
    )
    problems = templates.bench.problems(flow(step))
    assert locations_of(problems) == expected, messages_of(problems)


def test_a_failure_is_at_the_custom_step(templates: Templates) -> None:
    """A failure is located at the custom step that the author wrote."""
    templates.library("<F><source><c:script>1 / 0</c:script></source></F>")
    ran = templates.bench.run(flow('<custom name="s" customType="t:F"/>'))
    assert isinstance(ran.cause, ZeroDivisionError)
    assert getattr(ran.error, "location", None).line == 2
