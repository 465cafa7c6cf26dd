"""Test the core tags: their values, failures and problems."""

# ruff: noqa: ISC004 - long texts

from __future__ import annotations

import logging
from typing import Any

import pytest
from templates import Templates, locations_of, messages_of

from taskrun.script.script import Limits

VALUES: list[tuple[str, dict[str, Any], Any]] = [
    ('<c:if test="${n > 1}"><c:script>n</c:script></c:if>', {"n": 2}, 2),
    ('<c:if test="n > 1"><c:script>n</c:script></c:if>', {"n": 2}, 2),
    ('<c:if test="${n > 1}"><c:script>n</c:script></c:if>', {"n": 1}, None),
    ('<c:if test="${n > 1}" xpl:invert="true"><c:script>n</c:script></c:if>', {"n": 1}, 1),
    (
        '<c:choose><when test="${n == 1}"><c:script>"one"</c:script></when><when test="${n == 2}">'
        '<c:script>"two"</c:script></when><otherwise><c:script>"many"</c:script></otherwise></c:choose>',
        {"n": 2},
        "two",
    ),
    ('<c:choose><c:when test="${n}" xpl:invert="true"><c:script>1</c:script></c:when></c:choose>', {"n": 0}, 1),
    ('<c:choose><when test="${n}"><c:script>1</c:script></when></c:choose>', {"n": 0}, None),
    (
        '<c:choose><when test="${n}"><c:script>1</c:script></when><otherwise><c:script>2</c:script></otherwise></c:choose>',
        {"n": 0},
        2,
    ),
    ('<c:var name="s" value="${0}"/><c:for items="${n}" var="x"><c:assign s="${s + x}"/></c:for><c:script>s</c:script>', {"n": [1, 2]}, 3),
    ('<c:for items="${n}" var="x" index="i"><c:script>0</c:script></c:for><c:script>(x, i)</c:script>', {"n": [4, 5]}, (5, 1)),
    ('<c:var name="x" value="-"/><c:for items="${n}" var="x"><c:script>0</c:script></c:for><c:script>x</c:script>', {"n": None}, "-"),
    ('<c:for items="${n}" var="x"><c:script>0</c:script></c:for><c:script>x</c:script>', {"n": {"a": 1}}, ("a", 1)),
    ('<c:var name="s" value="${[]}"/><c:for begin="1" end="3" var="x"><c:assign s="${s + [x]}"/></c:for><c:script>s</c:script>', {}, [1, 2, 3]),
    ('<c:var name="s" value="${[]}"/><c:for end="${n}" var="x"><c:assign s="${s + [x]}"/></c:for><c:script>s</c:script>', {"n": "1"}, [0, 1]),
    ('<c:var name="s" value="${[]}"/><c:for begin="3" end="1" step="-2" var="x"><c:assign s="${s + [x]}"/></c:for><c:script>s</c:script>', {}, [3, 1]),
    ('<c:var name="s" value="${[]}"/><c:for begin="1" end="9" var="x"><c:if test="x == 2"><c:continue/></c:if><c:if test="x == 4"><c:break/></c:if><c:assign s="${s + [x]}"/></c:for><c:script>s</c:script>', {}, [1, 3]),
    ('<c:var name="s" value="${0}"/><c:while test="${s &lt; 5}"><c:assign s="${s + 2}"/></c:while><c:script>s</c:script>', {}, 6),
    ('<c:var name="s" value="${0}"/><c:while test="${s &gt; 5}" xpl:invert="true"><c:assign s="${s + 2}"/><c:if test="s == 4"><c:break/></c:if><c:if test="s == 2"><c:continue/></c:if></c:while><c:script>s</c:script>', {}, 4),
    ('<c:return value="${n}"/><c:script>0</c:script>', {"n": 2}, 2),
    ("<c:return><c:script>n</c:script></c:return><c:script>0</c:script>", {"n": 2}, 2),
    ("<c:script>1</c:script><c:return/>", {}, None),
    ('<c:iif test="${n}" then="${1}" else="no"/>', {"n": True}, 1),
    ('<c:iif test="${n}" then="${1}" else="no"/>', {"n": False}, "no"),
    ('<c:iif test="${n}" then="${1}"/>', {"n": False}, None),
    ('<c:iif test="${n}" then="${1}" xpl:invert="true"/>', {"n": False}, 1),
    ('<c:try><body><c:script>1 / n</c:script></body><catch name="e"><c:script>str(e)</c:script></catch></c:try>', {"n": 0}, "division by zero"),
    ('<c:try><body><c:script>n</c:script></body><catch name="e"><c:script>0</c:script></catch></c:try>', {"n": 3}, 3),
    ('<c:try><c:body><c:script>1 / n</c:script></c:body><c:catch type="ArithmeticError"><c:script>"any"</c:script></c:catch></c:try>', {"n": 0}, "any"),
    ('<c:try><body><c:throw errorCode="a.b"/></body><catch type="a.b"><c:script>"code"</c:script></catch></c:try>', {}, "code"),
    ('<c:var name="x" value="1"/><c:try><body><c:script>5</c:script></body><finally><c:assign x="2"/></finally></c:try><c:script>x</c:script>', {}, "2"),
    ('<c:check test="${n > 0}" errorCode="bad"/><c:script>n</c:script>', {"n": 1}, 1),
    ('<c:check test="${n > 0}" xpl:invert="true" errorCode="bad"/><c:script>n</c:script>', {"n": -1}, -1),
    ("<c:script>return n * 2</c:script><c:script>0</c:script>", {"n": 2}, 4),
    ('<c:script>if n > 5:\n  return "big"</c:script><c:script>"small"</c:script>', {"n": 2}, "small"),
    ('<c:script>if n > 5:\n  return "big"</c:script><c:script>"small"</c:script>', {"n": 7}, "big"),
    ('<c:script args="n" returnType="String">n + 1</c:script>', {"n": 2}, "3"),
    ('<c:script returnType="int">return "7"</c:script>', {}, 7),
    ('<c:script returnType="int">None</c:script>', {}, None),
    ('<c:var name="x" value="5" type="int"/><c:script>x</c:script>', {}, 5),
    ('<c:var name="x"><c:script>n</c:script></c:var><c:script>x</c:script>', {"n": [1]}, [1]),
    ('<c:var name="x"/><c:script>x</c:script>', {}, None),
    ('<c:var name="x" xpl:outputMode="text">n is ${n}</c:var><c:script>x</c:script>', {"n": 1}, "n is 1"),
    ('<c:assign obj="${n}" a="${2}" b="x"/><c:script>n</c:script>', {"n": {"a": 1}}, {"a": 2, "b": "x"}),
    ("<c:unit><c:script>1</c:script><c:script>2</c:script></c:unit>", {}, 2),
    ('<c:script>1</c:script><c:var name="x" value="5"/>', {}, 1),
    ('<c:collect outputMode="text">a${n}b</c:collect>', {"n": 1}, "a1b"),
    ('<c:collect outputMode="value"><c:script>n</c:script><c:script>2</c:script>x</c:collect>', {"n": 1}, [1, 2, "x"]),
    ('<c:collect singleNode="true"><a b="${n}"/></c:collect>', {"n": 1}, '<a b="1"/>'),
    ('<c:import class="math:sqrt" as="root"/><c:script>root(n)</c:script>', {"n": 9}, 3.0),
    ('<c:import class="math:sqrt"/><c:script>sqrt(n)</c:script>', {"n": 9}, 3.0),
]  # fmt: skip


@pytest.mark.parametrize(("body", "inputs", "expected"), VALUES)
def test_value(templates: Templates, body: str, inputs: dict[str, Any], expected: Any) -> None:
    """The value of a body is the value of its last tag that has one."""
    value = templates.value(body, inputs, allow=["math"])
    assert (value if expected is None or type(value) is type(expected) else value.toXml()) == expected


@pytest.mark.parametrize(("body", "inputs", "expected"), VALUES)
def test_value_with_the_other_evaluator(templates: Templates, body: str, inputs: dict[str, Any], expected: Any) -> None:
    """Both evaluators return the same value."""
    value = templates.value(body, inputs, allow=["math"], evaluator="asteval")
    assert (value if expected is None or type(value) is type(expected) else value.toXml()) == expected


def test_xscript(templates: Templates) -> None:
    """The dialect of a flow applies to its templates; a c:script can set another."""
    body = '<c:script lang="xscript">let m = n ?? 4; return m > 3 &amp;&amp; true</c:script>'
    assert templates.value(body, {"n": None}) is True
    body = (
        '<c:var name="s" value="${0}"/><c:for items="${n}" var="x"><c:if test="${x > 1 &amp;&amp; x != null}">'
        '<c:assign s="${s + x}"/></c:if></c:for><c:script>if (s > 100) { return "much" }</c:script>'
        "<c:script>return s + (nobody ?? 1);</c:script>"
    )
    assert templates.value(body, {"n": [1, 2, 3]}, head=' scriptLang="xscript"') == 6
    assert templates.value(body, {"n": [200]}, head=' scriptLang="xscript"') == "much"


@pytest.mark.parametrize(
    ("body", "inputs", "expected"),
    [
        ('<c:throw errorCode="shop.no-stock" params="${{\'item\': n}}"/>', {"n": 1}, "shop.no-stock"),
        ('<c:check test="${n > 1}" errorCode="shop.few"/>', {"n": 1}, "shop.few"),
        ('<c:for begin="1" end="3" step="0"><c:script>1</c:script></c:for>', {}, "step is 0"),
        ('<c:for begin="x" end="3"><c:script>1</c:script></c:for>', {"x": 1.5}, "begin=1.5 is no whole number"),
        ('<c:for begin="x" end="3"><c:script>1</c:script></c:for>', {"x": True}, "begin=True is no whole number"),
        ('<c:for items="n"><c:script>1</c:script></c:for>', {"n": 3}, "items is int, which is no list"),
        ('<c:for items="n"><c:script>1</c:script></c:for>', {"n": "abc"}, "items is str, which is no list"),
        ('<c:assign obj="${n}" a="1"/>', {"n": [1]}, "obj must be a map, not list"),
        ('<c:script returnType="int">"x"</c:script>', {}, "'x' is not of type int"),
        ('<c:var name="x" type="int" value="${n}"/>', {"n": "y"}, "'y' is not of type int"),
        ('<c:collect singleNode="true"><a/><b/></c:collect>', {}, "output 2 elements instead of one"),
        ('<c:try><body><c:script>1 / n</c:script></body><catch type="KeyError"/></c:try>', {"n": 0}, "division by zero"),
        ("<c:try><body><c:script>1 / n</c:script></body><finally><c:script>2</c:script></finally></c:try>", {"n": 0}, "division"),
        ('<c:try><body><c:script>1 / n</c:script></body><catch><c:throw errorCode="other"/></catch></c:try>', {"n": 0}, "other"),
    ],
)  # fmt: skip
def test_failure(templates: Templates, body: str, inputs: dict[str, Any], expected: str) -> None:
    """The message of a failure at run time names the reason and the location."""
    assert expected in templates.failure(body, inputs)


def test_attributes_of_a_failure(templates: Templates) -> None:
    """The exception has all attributes of c:throw."""
    body = (
        '<c:throw errorCode="shop.no" params="${{\'a\': 1}}" cause="${n}" errorDescription="none left" bizFatal="true" '
        'errorStatus="409"/>'
    )
    cause = templates.run(body, {"n": ValueError("x")}).cause
    assert isinstance(cause.__cause__, ValueError)
    assert "none left" in cause.__notes__
    assert templates.value(
        f"<c:try><body>{body}</body><catch name='e'><c:script>str(e)</c:script></catch></c:try>", {"n": 1}
    )


WRONG: list[tuple[str, list[str], str]] = [
    ("text<c:unit/>", ["unexpected-text 2:1"], "xpl:outputMode='text'"),
    ("<c:iff/>", ["unknown-tag 3:1"], "'if'"),
    ("<if/>", ["unknown-tag 3:1"], "<c:if>"),
    ("<div/>", ["unknown-tag 3:1"], "elements cannot be output here"),
    ("<c:if><c:script>1</c:script></c:if>", ["missing-attribute 3:1"], "needs the attribute test"),
    ('<c:if tset="1"><c:script>1</c:script></c:if>', ["unknown-attribute 3:7"], "'test'"),
    ('<c:if test="1 +"><c:script>1</c:script></c:if>', ["script-syntax 3:16"], ""),
    ('<c:if test="${1} and ${2}"><c:script>1</c:script></c:if>', ["bad-value 3:7"], "expected one ${…}"),
    ('<c:if test="1">text</c:if>', ["unexpected-text 3:1"], ""),
    ("<c:choose/>", ["missing-element 3:1"], "needs a <when>"),
    ("<c:choose>text</c:choose>", ["missing-element 3:1"], "write text into"),
    ('<c:choose><when test="1" xpl:if="2"><c:script>1</c:script></when></c:choose>', ["unknown-attribute 3:26"], "xpl:if"),
    ('<c:choose><wen test="1"/><when test="1"/></c:choose>', ["unknown-tag 3:11"], "<wen>"),
    ('<c:choose><otherwise/><when test="1"/></c:choose>', ["missing-element 3:1", "unknown-tag 3:23"], ""),
    ('<c:choose><when test="1"/><otherwise a="1"/></c:choose>', ["unknown-attribute 3:38"], ""),
    ("<c:for><c:script>1</c:script></c:for>", ["missing-attribute 3:1"], "items, or begin and end"),
    ('<c:for items="[]" begin="1"/>', ["no-meaning 3:19"], "begin cannot be used together with items"),
    ('<c:for items="[]" var="a-b"/>', ["bad-value 3:19"], "no name of a variable"),
    ("<c:while/>", ["missing-attribute 3:1"], "test"),
    ("<c:break/>", ["no-meaning 3:1"], "is outside of a loop"),
    ("<c:continue/>", ["no-meaning 3:1"], "is outside of a loop"),
    ('<c:for end="1"><c:break>x</c:break></c:for>', ["unexpected-text 3:16"], ""),
    ('<c:return value="1"><c:script>1</c:script></c:return>', ["no-meaning 3:21"], ""),
    ('<c:iif then="1"/>', ["missing-attribute 3:1"], "test"),
    ('<c:iif test="1">x</c:iif>', ["unexpected-text 3:1"], ""),
    ("<c:try><catch/></c:try>", ["missing-element 3:1"], "<body>"),
    ("<c:try><body/></c:try>", ["missing-element 3:1"], "<catch> or a <finally>"),
    ('<c:try><body/><catch nam="e"/></c:try>', ["unknown-attribute 3:22"], "'name'"),
    ('<c:try><body/><catch name="e e"/></c:try>', ["bad-value 3:22"], ""),
    ("<c:try><body/><finaly/><catch/></c:try>", ["unknown-tag 3:15"], ""),
    ("<c:try><body/><body/><catch/></c:try>", ["unknown-tag 3:15"], "one of each"),
    ("<c:throw/>", ["missing-attribute 3:1"], "errorCode"),
    ('<c:check errorCode="x"/>', ["missing-attribute 3:1"], "test"),
    ("<c:script/>", ["missing-element 3:1"], "empty"),
    ("<c:script><c:if test='1'/></c:script>", ["unknown-tag 3:11"], "text only"),
    ('<c:script lang="ruby">1</c:script>', ["unsupported-language 3:11"], ""),
    ('<c:script returnType="Foo">1</c:script>', ["bad-value 3:11"], "there is no type"),
    ('<c:script args="b">abc</c:script>', ["unknown-variable 3:1"], "not in args"),
    ("<c:script>import os</c:script>", ["script-unsupported 3:11"], ""),
    ("<c:script>1\n2 +</c:script>", ["script-syntax 4:4"], ""),
    ("<c:var/>", ["missing-attribute 3:1"], "name"),
    ('<c:var name="1x"/>', ["bad-value 3:8"], ""),
    ('<c:var name="x" value="1"><c:script>1</c:script></c:var>', ["doubled 3:17"], ""),
    ('<c:var name="x" type="Foo"/>', ["bad-value 3:17"], ""),
    ('<c:var name="_x" value="1"/>', ["bad-value 3:8"], ""),
    ("<c:assign/>", ["missing-attribute 3:1"], "assigns nothing"),
    ('<c:assign a-b="1"/>', ["bad-value 3:11"], ""),
    ('<c:script>1</c:script><c:import class="math:pi"/>', ["no-meaning 3:23"], "beginning"),
    ("<c:import/>", ["missing-attribute 3:1"], "from"),
    ('<c:import class="os:system"/>', ["unknown-class 3:11"], "not allowed"),
    ('<c:import class="math:nopi"/>', ["unknown-class 3:11"], "'nopi'"),
    ('<c:import class="math:pi" as="a b"/>', ["bad-value 3:27"], ""),
    ('<c:import from="no.xlib"/>', ["no-library 3:11"], "no.xlib"),
    ('<c:import from="nothing"/>', ["no-library 3:11"], "no .xlib file"),
    ("<c:include/>", ["missing-attribute 3:1"], "src"),
    ('<c:include src="no.xml"/>', ["no-file 3:12"], ""),
    ('<c:out value="1"/>', ["no-meaning 3:1"], "there is no output here"),
    ("<c:log/>", ["missing-attribute 3:1"], "info"),
    ('<c:log info="a">b</c:log>', ["unexpected-text 3:1"], ""),
    ('<c:collect outputMode="none"/>', ["bad-value 3:12"], ""),
    ('<c:collect outputMode="text" singleNode="true"/>', ["bad-value 3:30"], ""),
    ('<c:unit a="1"><c:script>1</c:script></c:unit>', ["unknown-attribute 3:9"], ""),
    ("<c:script><c:script>1</c:script>x</c:script>", ["unknown-tag 3:11"], ""),
    ('<c:template lang="erb">x</c:template>', ["unsupported-language 3:13"], ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected", "message"), WRONG)
def test_wrong(templates: Templates, body: str, expected: list[str], message: str) -> None:
    """All problems of a body are reported, each at its location."""
    problems = templates.wrong(body, allow=["math"])
    assert locations_of(problems) == expected
    assert message in messages_of(problems)


def test_include(templates: Templates) -> None:
    """c:include is replaced by the root of the file; paths are relative to the file that contains them."""
    templates.bench.write(
        '<c:unit xmlns:t="../t.xlib"><c:import class="math:pi"/><c:include src="deep/b.xml"/></c:unit>', "parts/a.xml"
    )
    templates.bench.write("<c:script>n * 2 + int(pi)</c:script>", "parts/deep/b.xml")
    assert templates.value('<c:include src="parts/a.xml"/>', {"n": 2}, allow=["math"]) == 7


def test_include_cycles(templates: Templates) -> None:
    """A file that includes itself is reported at the c:include that closes the cycle."""
    templates.bench.write('<c:unit>\n<c:include src="b.xml"/></c:unit>', "a.xml")
    templates.bench.write('<c:unit>\n<c:include src="a.xml"/></c:unit>', "b.xml")
    problems = templates.wrong('<c:include src="a.xml"/>')
    assert locations_of(problems) == ["cycle b.xml:2:12"]


def test_mistakes_in_an_included_file(templates: Templates) -> None:
    """Problems of an included file are reported in that file."""
    templates.bench.write("<c:unit>\n<c:iff/><a", "a.xml")
    assert locations_of(templates.wrong('<c:include src="a.xml"/>')) == ["xml a.xml:2:9"]
    templates.bench.write("<c:unit>\n <c:iff/></c:unit>", "b.xml")
    assert locations_of(templates.wrong('<c:include src="b.xml"/>')) == ["unknown-tag b.xml:2:2"]


def test_log_and_print(templates: Templates, caplog: pytest.LogCaptureFixture) -> None:
    """c:log and c:print write to the log ``taskrun.script``."""
    with caplog.at_level(logging.INFO, "taskrun.script"):
        body = '<c:log info="n=${n}" debug="no" warn="w"/><c:print>p ${n} <c:out value="${n}"/></c:print><c:script>1</c:script>'
        assert templates.value(body, {"n": 3}) == 1
    assert [(item.levelname, item.message) for item in caplog.records if item.name == "taskrun.script"] == [
        ("INFO", "n=3"),
        ("WARNING", "w"),
        ("INFO", "p 3 3"),
    ]


LIMITS = Limits(ticks=20_000, seconds=5)


@pytest.mark.parametrize(
    "body",
    [
        '<c:while test="${True}"/>',
        '<c:for begin="0" end="999999999"/>',
        '<c:while test="${True}"><c:try><body><c:script>1 / 0</c:script></body><catch/></c:try></c:while>',
        '<c:try><body><c:while test="${True}"/></body><catch/></c:try>',
        '<c:var name="x" value="a"/><c:while test="${True}"><c:var name="x" xpl:outputMode="text">${x}${x}</c:var></c:while>',
        '<c:var name="x" value="a"/><c:while test="${True}"><c:var name="x" xpl:outputMode="node"><a>${x}${x}</a></c:var></c:while>',
        '<c:var name="x" value="a"/><c:while test="${True}"><c:var name="x" xpl:outputMode="node"><a>${x}</a></c:var></c:while>',
        '<c:var name="x" xpl:outputMode="value"><c:while test="${True}"><c:script>1</c:script></c:while></c:var>',
    ],
)  # fmt: skip
def test_budget(templates: Templates, body: str) -> None:
    """Endless loops and endless growth exceed the budget, which c:try cannot catch."""
    assert templates.failure(body, limits=LIMITS).startswith("ScriptBudgetError")
