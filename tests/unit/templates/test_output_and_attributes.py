"""Test the output modes, the ``xpl:`` attributes, and conditions written as elements."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from templates import Templates, locations_of, messages_of

from taskrun.templates.element import Element

OUTPUT: list[tuple[str, str, Any]] = [
    ("text", "a ${n} <c:if test='n'>&lt;b&gt;</c:if>${None}", "a <1> <b>"),
    ("xml", "<a b='${n}' c='${None}'>${n}<c:out value='n' escape='none'/><c:out value='n'/></a>", '<a b="&lt;1&gt;">&lt;1&gt;<1>&lt;1&gt;</a>'),
    ("xml", "<a><b/><c>x</c></a>", "<a><b/><c>x</c></a>"),
    ("html", "<p><br/><script/>${n}</p>", "<p><br/><script></script>&lt;1&gt;</p>"),
    ("text", "<c:script>n</c:script><c:script>[1]</c:script><c:script>None</c:script>", "<1>[1]"),
    ("text", "<c:script>return n</c:script>never", "<1>"),
    ("text", "x<c:return/>never", "x"),
    ("text", "x<c:return value='y'/>never", "xy"),
    ("text", "x<c:return>y</c:return>never", "xy"),
    ("text", "<c:iif test='n' then='yes'/><c:unit>!</c:unit>", "yes!"),
    ("text", "<c:var name='v'>in ${n}</c:var>[${v}]", "[in <1>]"),
    ("xml", "<c:collect><a/><b/></c:collect>", "<a/><b/>"),
    ("text", "<c:collect outputMode='xml'><a/></c:collect>", "<a/>"),
    ("value", "<c:script>1</c:script><c:unit>x${[n]}</c:unit><c:script>None</c:script>", [1, "x", ["<1>"]]),
    ("xjson", "<c:script>{'a': n}</c:script>", [{"a": "<1>"}]),
    ("text", "<c:unit xpl:outputMode='xml'><a>${n}</a></c:unit>", "<a>&lt;1&gt;</a>"),
    ("xml", "<c:unit xpl:outputMode='text'>${n}</c:unit>", "&lt;1&gt;"),
    ("xml", "<a xpl:attrs=\"${{'b': n, 'c': 2}}\" c='1'/>", '<a b="&lt;1&gt;" c="1"/>'),
    ("text", "<c:unit xpl:outputMode='none'><c:script>n</c:script></c:unit>!", "!"),
    ("text", "<c:script xpl:return='v'>n</c:script>!${v}", "!<1>"),
    ("text", "<c:try><body>a<c:throw errorCode='x'/></body><catch>b</catch></c:try>", "ab"),
    ("text", "${True}<c:out value='True'/>", "truetrue"),
    ("xml", "<a xmlns:u='urn:x'><u:b/></a>", '<a xmlns:u="urn:x"><u:b/></a>'),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "body", "expected"), OUTPUT)
def test_output(templates: Templates, mode: str, body: str, expected: Any) -> None:
    """Each mode has its form of output, and its escapes."""
    value = templates.value(body, {"n": "<1>"}, mode=mode)
    assert (value.strip() if isinstance(value, str) else value) == expected


def test_values_in_order(templates: Templates) -> None:
    """The output of the mode value is the list of all values except null."""
    body = "<c:script>1</c:script><c:script>None</c:script><c:unit>${n}</c:unit>"
    assert templates.value(body, {"n": [2]}, mode="value") == [1, [2]]


def test_nodes(templates: Templates) -> None:
    """The output of the mode node is a list of elements with their locations."""
    body = "<a b='${n}'>\n<c:for items='[1, 2]' var='x'><x>${x}</x></c:for>${None}</a>"
    value = templates.value(body, {"n": 1}, mode="node")
    assert [item.toXml() for item in value] == ['<a b="1"><x>1</x><x>2</x></a>']
    first = value[0]
    assert first.location().endswith("flow1.task.xml:3:1")
    assert first.childByTag("x").text == "1"
    assert first.childByTag("y") is None
    assert [item.text for item in first.childrenByTag("x")] == ["1", "2"]
    assert [item.tagName for item in first.descendants()] == ["x", "x"]
    assert (first.attributes, first.attrText("b"), first.attrText("c", "d")) == ({"b": "1"}, "1", "d")
    assert repr(first) == "<a>"


def test_mixed_nodes(templates: Templates) -> None:
    """Elements can contain text and other elements beside each other."""
    value = templates.value("<c:collect xpl:return='e'><i>1</i></c:collect><p>a${e}b</p>", mode="node")
    assert value[0].toXml() == "<p>a<i>1</i>b</p>"
    assert value[0].text == "ab"


def test_elements_as_text(templates: Templates) -> None:
    """An element in text output becomes XML, which is not escaped again in XML output."""
    body = "<c:collect xpl:return='e'><i>1 &lt; 2</i></c:collect>${e}"
    assert templates.value(body, mode="xml").strip() == "<i>1 &lt; 2</i>"
    assert templates.value(body.replace("${e}", "<c:out value='e[0]'/>"), mode="html") == "<i>1 &lt; 2</i>"


ATTRIBUTES: list[tuple[str, Any]] = [
    ("<c:script xpl:if='${n > 1}'>n</c:script>", 2),
    ("<c:script xpl:if='n > 2'>n</c:script>", None),
    ("<c:script xpl:return='x'>n</c:script><c:script>x + 1</c:script>", 3),
    ("<c:var name='x' value='0'/><c:if test='n > 5' xpl:return='x'><c:script>1</c:script></c:if><c:script>x</c:script>", None),
    ("<c:unit xpl:outputMode='text' xpl:return='x'>a${n}</c:unit><c:script>x</c:script>", "a2"),
    ("<c:unit xpl:is='c:script'>n * 2</c:unit>", 4),
    ("<c:if test='n > 5' xpl:skipIf='n == 2'><c:script>'inside'</c:script></c:if>", "inside"),
    ("<c:if test='n > 5' xpl:skipIf='n == 3'><c:script>'inside'</c:script></c:if>", None),
    ("<c:script xpl:dump='false'>n</c:script>", 2),
    ("<c:unit xpl:if='n > 5' xpl:return='x'><c:script>1</c:script></c:unit><c:script>n</c:script>", 2),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), ATTRIBUTES)
@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
def test_attribute(templates: Templates, body: str, expected: Any, evaluator: str) -> None:
    """Each xpl: attribute has its effect."""
    assert templates.value(body, {"n": 2}, evaluator=evaluator) == expected


def test_dump(templates: Templates, caplog: pytest.LogCaptureFixture) -> None:
    """xpl:dump logs the value of a tag."""
    with caplog.at_level(logging.INFO, "taskrun.script"):
        assert templates.value("<c:script xpl:dump='true'>n</c:script>", {"n": 2}) == 2
        templates.value("<c:var name='x' xpl:dump='true'/>")
    messages = [item.message for item in caplog.records if item.name == "taskrun.script"]
    assert messages[0].endswith("flow1.task.xml:3:1: <c:script> returned 2")
    assert messages[1].endswith("<c:var> returned None")


@pytest.mark.parametrize(
    ("body", "expected", "message"),
    [
        ('<c:unit xpl:iff="1"/>', "unknown-attribute 3:9", "'xpl:if'"),
        ('<c:unit xpl:ignoreExpr="true"/>', "unknown-attribute 3:9", "not known"),
        ('<c:unit xpl:if="1 +"/>', "script-syntax 3:20", ""),
        ('<c:unit xpl:skipIf="1 +"/>', "script-syntax 3:24", ""),
        ('<c:unit xpl:return="a b"/>', "bad-value 3:9", "no name"),
        ('<c:unit xpl:dump="yes"/>', "bad-value 3:9", "true or false"),
        ('<c:unit xpl:outputMode="txt"/>', "bad-value 3:9", "'text'"),
        ('<c:unit xpl:invert="true"/>', "no-meaning 3:9", "test of"),
        ('<c:if test="1" xpl:invert="yes"/>', "bad-value 3:16", "true or false"),
        ('<c:unit xpl:attrs="${{}}"/>', "no-meaning 3:9", "only the attributes that are written"),
        ('<c:unit xpl:slotArgs="${{}}"/>', "no-meaning 3:9", "together with xpl:slot"),
        ('<c:unit xpl:slotScope="a"/>', "no-meaning 3:9", "a tag of a library"),
        ('<c:unit xpl:slot="x"/>', "unknown-slot 3:9", "declare the slot in the tag"),
        ('<c:unit xpl:lib="no.xlib"/>', "no-library 3:9", ""),
        ('<c:unit xpl:is="c:unitt"/>', "unknown-tag 3:1", "unit"),
    ],
)
def test_wrong_attribute(templates: Templates, body: str, expected: str, message: str) -> None:
    """An unknown xpl: attribute, or one without effect, is a problem."""
    problems = templates.wrong(body)
    assert locations_of(problems) == [expected]
    assert message in messages_of(problems)


@pytest.mark.parametrize(
    ("mode", "body", "expected"),
    [
        ("text", "<div/>", "unknown-tag 3:1"),
        ("txt", "<c:unit/>", "bad-value 2:9"),
        ("xml", "<a b='${1 +}'/>", "script-syntax 3:12"),
        ("text", "a ${1 +}<c:unit/>", "script-syntax 3:8"),
        ("xml", "<c:out value='1' escape='all'/>", "bad-value 3:18"),
    ],
)
def test_wrong_output(templates: Templates, mode: str, body: str, expected: str) -> None:
    """Problems of output are reported at their locations."""
    assert locations_of(templates.wrong(body, mode=mode))[:1] == [expected]


FILTERS: list[tuple[str, bool]] = [
    ('<eq name="n" value="2"/>', True), ('<eq name="n" value="${2}"/>', True), ('<eq name="n" value="x"/>', False),
    ('<ne name="n" value="2"/>', False), ('<gt name="n" value="1.5"/>', True), ('<ge name="n" value="${2}"/>', True),
    ('<lt name="n" value="2"/>', False), ('<le name="n" value="2"/>', True), ('<gt name="none" value="1"/>', False),
    ('<gt name="s" value="a"/>', True), ('<lt name="n" value="x"/>', True), ('<eq name="b" value="true"/>', True),
    ('<in name="n" value="1, 2"/>', True), ('<in name="n" value="${[2]}"/>', True), ('<notIn name="n" value="1"/>', True),
    ('<in name="n" value="${None}"/>', False),
    ('<contains name="s" value="b"/>', True), ('<notContains name="l" value="${5}"/>', True),
    ('<contains name="none" value="b"/>', False), ('<startsWith name="s" value="ab"/>', True),
    ('<endsWith name="s" value="ab"/>', False), ('<isNull name="none"/>', True), ('<notNull name="none"/>', False),
    ('<isEmpty name="e"/>', True), ('<notEmpty name="l"/>', True), ('<isTrue name="b"/>', True), ('<isFalse name="b"/>', False),
    ('<between name="n" min="1" max="${2}"/>', True), ('<between name="n" min="3" max="4"/>', False),
    ("<alwaysTrue/>", True), ("<alwaysFalse/>", False), ('<eq name="n" valueName="n"/>', True),
    ('<eq name="d.a.b" value="1"/>', True), ('<isNull name="d.x.y.z"/>', True), ('<isNull name="n.nothing"/>', True),
    ('<eq name="n.real" value="2"/>', True), ('<isNull name="none.x"/>', True),
    ('<and><eq name="n" value="2"/><eq name="n" value="3"/></and>', False),
    ('<or><eq name="n" value="2"/><eq name="n" value="3"/></or>', True),
    ('<not><eq name="n" value="2"/></not>', False), ('<not><eq name="n" value="2"/><eq name="n" value="3"/></not>', True),
    ('<eq name="n" value="2"/><eq name="n" value="3"/>', False),
]  # fmt: skip
GIVEN = {"n": 2, "s": "abc", "l": [1], "e": [], "b": True, "none": None, "d": {"a": {"b": 1}}}


@pytest.mark.parametrize(("condition", "expected"), FILTERS)
@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
def test_filter(templates: Templates, condition: str, expected: bool, evaluator: str) -> None:
    """Conditions can be written as elements in <when>."""
    inputs = "".join(f'<input name="{name}"/>' for name in GIVEN)
    given = "".join(f'<input name="{name}"/>' for name in GIVEN)
    text = (
        f'<task>{inputs}<steps><step name="a">{given}<when>{condition}</when><source>1</source></step>'
        f'<step name="b"><input name="RESULT" optional="true"/><source>RESULT</source></step></steps></task>'
    )
    assert templates.bench.run(text, GIVEN, evaluator=evaluator).result == (1 if expected else None)


def test_filters_elsewhere(templates: Templates) -> None:
    """Conditions can be written as elements in <condition>, <while> and <until>."""
    loop = (
        '<task><output name="n"/><steps><loop name="l" maxCount="9"><input name="n" value="${0}"/><output name="n" '
        'exportAs="n"/>CONDITION<steps><step name="s"><input name="n"/><source>n + 1</source>'
        '<output name="RESULT" exportAs="n"/></step></steps></loop></steps></task>'
    )
    for condition in ('<while><lt name="n" value="3"/></while>', '<until><ge name="n" value="3"/></until>'):
        ran = templates.bench.run(loop.replace("CONDITION", condition))
        assert ran.outputs == {"n": 3}, ran.error
    choose = (
        '<task><input name="n"/><steps><if name="i"><input name="n"/><condition><eq name="n" value="1"/></condition>'
        '<then><steps><step name="t"><source>"one"</source></step></steps></then>'
        '<else><steps><step name="f"><source>"other"</source></step></steps></else></if></steps></task>'
    )
    assert templates.bench.run(choose, {"n": 1}).result == "one"
    assert templates.bench.run(choose, {"n": 2}).result == "other"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("<eq name='n'/>", "missing-attribute 3:1"),
        ("<eq value='n'/>", "missing-attribute 3:1"),
        ("<eq name='a b' value='1'/>", "bad-value 3:5"),
        ("<eq name='n' value='1' valueName='n'/>", "doubled 3:24"),
        ("<eq name='n' value='1' vlaue='n'/>", "unknown-attribute 3:24"),
        ("<eq name='n' value='1'/><eqq name='n'/>", "unknown-tag 3:25"),
        ("<and a='1'><isNull name='n'/></and>", "unknown-attribute 3:6"),
        ("<and/>", "missing-element 3:1"),
        ("<isNull name='n'>x</isNull>", "unexpected-text 3:1"),
        ("<isNull name='n' value='1'/>", "unknown-attribute 3:18"),
        ("<alwaysTrue name='n'/>", "unknown-attribute 3:13"),
        ("<eq name='n' value='1' xpl:if='n'/>", "unknown-attribute 3:24"),
        ("<eq name='n' value='${1 +}'/>", "script-syntax 3:26"),
        ("<eq name='n' value='1'/>text", "unknown-tag 3:25"),
        ("<eq name='nn' value='1'/>", "unknown-variable 3:11"),
    ],
)
def test_wrong_filter(templates: Templates, condition: str, expected: str) -> None:
    """Problems of conditions are reported at their locations."""
    text = f'<task><input name="n"/><steps><step name="a"><input name="n"/>\n<when>\n{condition}</when><source>1</source></step></steps></task>'
    assert locations_of(templates.bench.problems(text))[:1] == [expected]


def test_scripts_cannot_reach_the_node_of_an_element(templates: Templates) -> None:
    """Scripts can read an element but cannot reach its Node."""
    body = "<c:collect singleNode='true' xpl:return='e'><a/></c:collect><c:script>{}</c:script>"
    for escape in ("e._node", "e.toXml.__self__", "e.__class__", "e.attrText.__func__"):
        assert messages_of(templates.wrong(body.format(escape))).startswith("script-forbidden")
    assert templates.value(body.format("e.tagName")) == "a"
    assert "AttributeError" in templates.failure(body.format("e.source"))
    assert isinstance(templates.value(body.format("e")), Element)
