"""``taskrun expand`` and ``taskrun diff``, and the options ``--delta`` and ``-P``."""

from __future__ import annotations

import json

import pytest

BASE = """<task>
  <input name="total" type="float"/>
  <steps>
    <step name="check"><source>total &gt; 0</source></step>
    <step name="pay" timeout="5s"><source>"paid"</source></step>
  </steps>
</task>
"""
OWN = """<task x:extends="base.task.xml">
  <steps>
    <step name="pay" timeout="9s"/>
    <xpl feature:on="audit"><source>"noted"</source></xpl>
  </steps>
</task>
"""


@pytest.fixture
def files(flow, tmp_path):
    """Write a base, a flow that extends it, and a layer that changes the base."""
    flow(BASE, "base.task.xml")
    flow(OWN.replace("<xpl ", '<xpl name="note" '), "own.task.xml")
    (tmp_path / "_delta/acme").mkdir(parents=True)
    flow(
        '<task x:extends="super"><steps><step name="pay"><source>"acme"</source></step></steps></task>',
        "_delta/acme/base.task.xml",
    )


def test_expand(taskrun, files):
    """``expand`` prints the merged flow in the kernel language, without merge attributes."""
    ended = taskrun("expand", "own.task.xml", "-P", "audit")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (
        "<task>\n"
        '  <input name="total" type="float"/>\n'
        "  <steps>\n"
        '    <step name="check">\n'
        "      <source>total > 0</source>\n"
        "    </step>\n"
        '    <step name="pay" timeout="9s">\n'
        '      <source>"paid"</source>\n'
        "    </step>\n"
        '    <step name="note">\n'
        '      <source>"noted"</source>\n'
        "    </step>\n"
        "  </steps>\n"
        "</task>\n"
    )


def test_the_expanded_flow_has_the_same_outputs(taskrun, files, flow):
    """The printed flow has the same outputs as the original."""
    for words in ((), ("-P", "audit=yes"), ("--delta", "acme")):
        flow(taskrun("expand", "own.task.xml", *words).out, "flat.task.xml")
        expected = taskrun("own.task.xml", "--input", "total=1", *words)
        assert expected.status == 0, expected.err
        assert taskrun("flat.task.xml", "--input", "total=1").out == expected.out


def test_origins(taskrun, files):
    """``--origins`` adds a comment above each element that was inherited or changed."""
    lines = taskrun("expand", "own.task.xml", "--origins", "--delta", "acme").out.splitlines()
    assert lines[0] == ("<!-- from base.task.xml:1:1, changed by _delta/acme/base.task.xml:1:1, own.task.xml:1:1 -->")
    at = next(number for number, line in enumerate(lines) if 'name="pay"' in line)
    assert lines[at - 1].strip() == (
        "<!-- from base.task.xml:5:5, changed by _delta/acme/base.task.xml:1:32, own.task.xml:3:5 -->"
    )


def test_expand_of_a_wrong_flow(taskrun, flow):
    """An error in the flow is reported with its code."""
    flow('<task x:extends="nowhere.task.xml"/>')
    ended = taskrun("expand", "flow.task.xml")
    assert (ended.status, ended.out) == (2, "")
    assert "error[no-base]" in ended.err


def test_diff(taskrun, files, flow):
    """``diff`` prints the smallest delta; merged with the first flow it equals the second."""
    flow(BASE.replace("5s", "7s").replace(' name="check"', ' name="test"'), "wanted.task.xml")
    ended = taskrun("diff", "base.task.xml", "wanted.task.xml")
    assert (ended.status, ended.err) == (0, "")
    flow(ended.out, "delta.task.xml")
    assert ended.out.startswith('<task x:extends="base.task.xml">')
    assert taskrun("expand", "delta.task.xml").out == taskrun("expand", "wanted.task.xml").out
    same = taskrun("diff", "base.task.xml", "base.task.xml")
    assert same.out == '<task x:extends="base.task.xml"/>\n'


def test_diff_into_a_file(taskrun, files, tmp_path):
    """Paths in a file written with ``-o`` are relative to the file."""
    (tmp_path / "out").mkdir()
    ended = taskrun("diff", "base.task.xml", "own.task.xml", "-o", "out/delta.task.xml")
    assert ended == (0, "", "")
    assert 'x:extends="../base.task.xml"' in (tmp_path / "out/delta.task.xml").read_text("utf-8")
    assert taskrun("expand", "out/delta.task.xml").out == taskrun("expand", "own.task.xml").out
    ended = taskrun("diff", "base.task.xml", "own.task.xml", "-o", "nowhere/delta.task.xml")
    assert ended.status == 1
    assert "cannot write" in ended.err


def test_paths_of_a_base_elsewhere(taskrun, flow, tmp_path):
    """Paths in an inherited flow are rewritten relative to the extending file."""
    (tmp_path / "parts").mkdir()
    flow('<task><steps><step name="one"><source>41</source></step></steps></task>', "parts/lib.task-lib.xml")
    call = '<call-step name="c" libModelPath="lib.task-lib.xml" stepName="one"/>'
    flow(f"<task><steps>{call}</steps></task>", "parts/base.task.xml")
    flow('<task x:extends="parts/base.task.xml"/>')
    ended = taskrun("expand", "flow.task.xml")
    assert 'libModelPath="parts/lib.task-lib.xml"' in ended.out
    flow(ended.out, "flat.task.xml")
    assert json.loads(taskrun("flat.task.xml").out) == json.loads(taskrun("flow.task.xml").out)


def test_layers_are_not_checked_as_flows(taskrun, files):
    """Files of ``_delta`` folders are skipped, and checked with the flows that they change."""
    ended = taskrun("check", ".")
    assert (ended.status, ended.err) == (0, "taskrun check: 2 files, 0 errors\n")
    assert taskrun("check", ".", "--delta", "acme").status == 0


def test_diff_where_the_base_has_prototypes(taskrun, flow):
    """Elements that a small delta cannot change are replaced as a whole."""
    text = '<task><steps><step name="p" timeout="%s"><source>1</source></step><step name="a" x:prototype="p"/></steps></task>'
    flow(text % "5s", "base.task.xml")
    flow((text % "7s").replace('x:prototype="p"', 'timeout="5s"'), "wanted.task.xml")
    flow(taskrun("diff", "base.task.xml", "wanted.task.xml").out, "delta.task.xml")
    assert taskrun("expand", "delta.task.xml").out == taskrun("expand", "wanted.task.xml").out
    flow((text % "7s"), "wanted.task.xml")
    flow(taskrun("diff", "base.task.xml", "wanted.task.xml").out, "delta.task.xml")
    assert taskrun("expand", "delta.task.xml").out == taskrun("expand", "wanted.task.xml").out


def test_paths_of_a_layer(taskrun, flow, tmp_path):
    """Paths in a layer are relative to the layer, or to the file that it changes."""
    (tmp_path / "_delta/acme").mkdir(parents=True)
    library = '<task><steps><step name="one"><source>%s</source></step></steps></task>'
    flow(library % 1, "one.task-lib.xml")
    flow(library % 2, "_delta/acme/two.task-lib.xml")
    call = '<call-step name="%s" libModelPath="%s.task-lib.xml" stepName="one"><output name="%s" value="${RESULT}"/></call-step>'
    steps = call % ("a", "one", "x") + call % ("b", "two", "y")
    outputs = '<output name="x"/><output name="y"/>'
    flow(f'<task x:extends="super"><steps>{steps}</steps>{outputs}</task>', "_delta/acme/flow.task.xml")
    flow("<task><steps/></task>")
    assert taskrun("flow.task.xml", "--delta", "acme").out == '{"x": 1, "y": 2}\n'
    flow(taskrun("expand", "flow.task.xml", "--delta", "acme").out, "flat.task.xml")
    assert taskrun("flat.task.xml").out == '{"x": 1, "y": 2}\n'


def test_dump(taskrun, flow):
    """``x:dump`` writes the merged tree with its origins to the log."""
    flow('<task><steps><step name="a"><source>1</source></step></steps></task>', "base.task.xml")
    flow('<task x:extends="base.task.xml" x:dump="true"/>')
    import logging

    from taskrun import TaskManager

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger("taskrun")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        TaskManager().flows.expand(flow('<task x:extends="base.task.xml" x:dump="true"/>'))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert "<!-- from" in lines[0]
    assert "x:dump" not in lines[0]


def test_a_wrong_layer(taskrun, files):
    """An invalid layer name is rejected before any file is read."""
    ended = taskrun("own.task.xml", "--delta", "../x")
    assert ended.status == 2
    assert "'../x' is not the name of a delta layer" in ended.err
