"""Test the tags of ``.xlib`` files: attributes, slots, macros, and their problems."""

# ruff: noqa: ISC004 - long texts

from __future__ import annotations

from typing import Any

import pytest
from small_flows import found
from templates import Templates, locations_of, messages_of

from taskrun.script.script import Limits

ECHO = '<Echo><attr name="a"{}/><source><c:script>a</c:script></source></Echo>'

ATTRIBUTES: list[tuple[str, str, Any]] = [
    ("", '<t:Echo a="x"/>', "x"),
    ("", '<t:Echo a="${n}"/>', 2),
    ("", '<t:Echo a="n is ${n}"/>', "n is 2"),
    ("", "<t:Echo/>", None),
    (' type="int"', '<t:Echo a="5"/>', 5),
    (' type="List&lt;Integer>"', '<t:Echo a="[1, 2]"/>', [1, 2]),
    (' type="String"', '<t:Echo a="${n}"/>', "2"),
    (' type="int" defaultValue="7"', "<t:Echo/>", 7),
    (' defaultValue="7"', "<t:Echo/>", "7"),
    (' type="int" defaultValue="7"', '<t:Echo a="${None}"/>', None),
    (' mandatory="true"', '<t:Echo a="${n}"/>', 2),
    (' optional="true"', "<t:Echo/>", None),
    (' type="String"', "<t:Echo xpl:attrs=\"${{'a': n}}\"/>", "2"),
    (' type="int" defaultValue="7"', "<t:Echo xpl:attrs=\"${{'a': n}}\"/>", 2),
    ("", "<t:Echo a='1' xpl:attrs=\"${{'a': n}}\"/>", "1"),
    (' mandatory="true"', "<t:Echo xpl:attrs=\"${{'a': n}}\"/>", 2),
    ("", '<t:Echo xpl:attrs="${None}"/>', None),
]


@pytest.mark.parametrize(("declared", "body", "expected"), ATTRIBUTES)
@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
def test_attribute(templates: Templates, declared: str, body: str, expected: Any, evaluator: str) -> None:
    """Attributes are converted, have default values, and can be passed by xpl:attrs."""
    assert templates.value(body, {"n": 2}, tags=ECHO.format(declared), evaluator=evaluator) == expected


TAGS: list[tuple[str, str, Any]] = [
    ('<A><attr name="n" implicit="true"/><source><c:script>n</c:script></source></A>', "<t:A/>", 2),
    ('<A><attr name="n" implicit="true"/><source><c:script>n</c:script></source></A>', "<t:A n='3'/>", "3"),
    ('<A><attr name="m" implicit="true" defaultValue="d"/><source><c:script>m</c:script></source></A>', "<t:A/>", "d"),
    ('<A><attr name="n" implicit="true" type="String"/><source><c:script>n</c:script></source></A>', "<t:A/>", "2"),
    ('<A><attr name="a-b" varName="ab"/><source><c:script>ab</c:script></source></A>', "<t:A a-b='x'/>", "x"),
    ('<A attrsVar="all" unknownAttrsVar="rest"><attr name="a" type="int"/><source><c:script>(all, rest)</c:script></source></A>',
     "<t:A a='1' b='${n}'/>", ({"a": 1, "b": 2}, {"b": 2})),
    ('<A ignoreUnknownAttrs="true"><source><c:script>1</c:script></source></A>', "<t:A x='1'/>", 1),
    ('<A attrsVar="all"><attr name="a"/><source><c:script>all</c:script></source></A>', "<t:A xpl:attrs=\"${{'a': 1, 'z': 2}}\"/>", {"a": 1, "z": 2}),
    ('<A><return type="int"/><source><c:script>return "5"</c:script></source></A>', "<t:A/>", 5),
    ('<A><return type="int"/><source><c:script>None</c:script></source></A>', "<t:A/>", None),
    ('<A><return type="int"/><source><c:var name="x"/></source></A>', "<t:A/>", None),
    ("<A><source><c:script>return 1</c:script><c:script>2</c:script></source></A>", "<t:A/><c:script>3</c:script>", 3),
    ('<A><source><c:return value="${4}"/></source></A>', "<t:A/>", 4),
    ('<A outputMode="text"><source>a<c:return value="b"/>c</source></A>', "<t:A/>", "ab"),
    ('<A outputMode="xml"><attr name="a"/><source><p>${a}</p></source></A>', "<t:A a='&lt;'/>", "<p>&lt;</p>"),
    ('<A outputMode="xjson"><source><c:script>1</c:script></source></A>', "<t:A/>", [1]),
    ('<A conditionTag="true"><attr name="a"/><source><c:script>a > 1</c:script></source></A>', "<t:A a='${n}'><c:script>'in'</c:script></t:A>", "in"),
    ('<A conditionTag="true"><attr name="a"/><source><c:script>a > 2</c:script></source></A>', "<t:A a='${n}'><c:script>'in'</c:script></t:A>", None),
    ('<A><slot name="default"><arg name="x"/></slot><source><c:script>default(4)</c:script></source></A>', "<t:A><c:script>x + n</c:script></t:A>", 6),
    ('<A><slot name="body"><arg name="x"/><arg name="y"/></slot><source><c:script>body(1, y=2)</c:script></source></A>', "<t:A><body><c:script>(x, y, n)</c:script></body></t:A>", (1, 2, 2)),
    ('<A><slot name="body"><arg name="x"/></slot><source><c:script>body(1)</c:script></source></A>', "<t:A><body xpl:slotScope='z'><c:script>z</c:script></body></t:A>", 1),
    ('<A><slot name="default"><arg name="x"/></slot><source><c:script>default(1)</c:script></source></A>', "<t:A xpl:slotScope='z'><c:script>z</c:script></t:A>", 1),
    ('<A><slot name="body"><arg name="x"/></slot><source><c:script>body()</c:script></source></A>', "<t:A><body><c:script>x</c:script></body></t:A>", None),
    ('<A><slot name="body"/><source><c:script>body is None</c:script></source></A>', "<t:A/>", True),
    ('<A><slot name="body"><arg name="x"/></slot><source><c:unit xpl:slot="body" xpl:slotArgs="${{\'x\': 5}}"/></source></A>', "<t:A><body><c:script>x</c:script></body></t:A>", 5),
    ('<A><slot name="body"/><source><c:script xpl:slot="body">"mine"</c:script></source></A>', "<t:A/>", "mine"),
    ('<A><slot name="body"/><source><c:script>body()</c:script><c:script>9</c:script></source></A>', "<c:var name='v' value='0'/><t:A><body><c:assign v='1'/><c:script>return 3</c:script></body></t:A><c:script>v</c:script>", "1"),
    ('<A><slot name="b" slotType="node"/><source><c:script>b.children[0].tagName</c:script></source></A>', "<t:A><b><x y='${nobody'/></b></t:A>", "x"),
    ('<A outputMode="text"><slot name="b"/><source>[<c:unit xpl:slot="b"/>]</source></A>', "<t:A><b>in ${n}</b></t:A>", "[in 2]"),
    ('<A outputMode="xml"><slot name="b" outputMode="text"/><source><p><c:unit xpl:slot="b"/></p></source></A>', "<t:A><b>&lt;</b></t:A>", "<p>&lt;</p>"),
    ('<A outputMode="text"><slot name="b" outputMode="none"/><source>[<c:unit xpl:slot="b"/>]</source></A>', "<t:A><b><c:script>n</c:script></b></t:A>", "[2]"),
    ('<A><slot name="b"/><source><thisLib:B><b><c:unit xpl:slot="b"/></b></thisLib:B></source></A>'
     '<B internal="true"><slot name="b"/><source><c:script>(b(),)</c:script></source></B>', "<t:A><b><c:script>n</c:script></b></t:A>", (2,)),
    ('<Fac><attr name="n" type="int"/><source><c:if test="n &lt; 2"><c:return value="${1}"/></c:if><thisLib:Fac n="${n - 1}" xpl:return="r"/><c:script>n * r</c:script></source></Fac>', "<t:Fac n='5'/>", 120),
    ('<A macro="true"><attr name="k"/><source><c:ast><c:script>n + 1</c:script></c:ast></source></A>', "<t:A k='n + 1'/>", 3),
    ('<A macro="true"><slot name="default"/><source><c:if test="default">${default.children}</c:if></source></A>', "<t:A><c:script>'yes'</c:script></t:A>", "yes"),
    ('<A macro="true"><slot name="b"/><source>${b.children}</source></A>', "<t:A><b><c:script>n</c:script></b></t:A>", 2),
    ('<A><description>x</description><example>y</example><attr name="a" displayName="A"><description>z</description></attr><source><c:script>1</c:script></source></A>', "<t:A/>", 1),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "body", "expected"), TAGS)
@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
def test_tag(templates: Templates, tags: str, body: str, expected: Any, evaluator: str) -> None:
    """Each feature of a tag has its effect."""
    assert templates.value(body, {"n": 2}, tags=tags, evaluator=evaluator) == expected


def test_condition_is_one_of_elements_in_a_when(templates: Templates) -> None:
    """A tag without awaits is possible in a condition, even if it is recursive."""
    tags = (
        '<Down><attr name="n" type="int"/><source><c:if test="n == 0"><c:return value="${True}"/></c:if>'
        '<thisLib:Down n="${n - 1}"/></source></Down>'
    )
    templates.library(tags)
    text = '<task xmlns:t="t.xlib"><steps><step name="a"><when><t:Down n="3"/></when><source>1</source></step></steps></task>'
    assert templates.bench.run(text).result == 1


def test_mutual_recursion(templates: Templates) -> None:
    """Tags can call each other recursively."""
    tags = (
        '<Even><attr name="n"/><source><c:if test="n == 0"><c:return value="${True}"/></c:if><thisLib:Odd n="${n - 1}"/></source></Even>'
        '<Odd><attr name="n"/><source><c:if test="n == 0"><c:return value="${False}"/></c:if><thisLib:Even n="${n - 1}"/></source></Odd>'
    )
    assert templates.value('<t:Even n="${7}"/>', tags=tags) is False
    assert templates.value('<t:Odd n="${7}"/>', tags=tags) is True


def test_xscript_library(templates: Templates) -> None:
    """A library can set its own dialect."""
    templates.library(
        '<A><attr name="a"/><source><c:script>let b = a ?? 5; return b && nobody == null</c:script></source></A>'.replace(
            "&&", "&amp;&amp;"
        ),
        head=' scriptLang="xscript"',
    )
    text = '<task xmlns:t="t.xlib"><steps><step name="a"><source><t:A/></source></step></steps></task>'
    assert templates.bench.run(text).result is True


def test_library_on_library(templates: Templates) -> None:
    """The tags of a library replace those of the library that it extends."""
    templates.library("<A><source><c:script>1</c:script></source></A><B><source><thisLib:A/></source></B>", "base.xlib")
    templates.bench.write(
        '<lib x:extends="base.xlib"><tags><A><source><c:script>2</c:script></source></A></tags></lib>', "t.xlib"
    )
    text = '<task xmlns:t="t.xlib"><steps><step name="a"><source><t:B/></source></step></steps></task>'
    assert templates.bench.run(text).result == 2


def test_library_that_uses_another(templates: Templates) -> None:
    """A library can declare prefixes; their paths are relative to the library."""
    templates.library("<One><source><c:script>1</c:script></source></One>", "deep/u.xlib")
    templates.library('<A><source><u:One/></source></A><B><source><c:import from="u.xlib" as="w"/><w:One/></source></B>'
                      '<C><source><u:One xpl:lib="u.xlib"/></source></C>', "deep/v.xlib", ' xmlns:u="u.xlib"')  # fmt: skip
    for tag in "ABC":
        text = f'<task xmlns:v="deep/v.xlib"><steps><step name="a"><source><v:{tag}/></source></step></steps></task>'
        assert templates.bench.run(text).result == 1


@pytest.mark.parametrize(
    "body",
    ['<c:import from="t.xlib"/><t:A/>', '<c:import from="t.xlib" as="k"/><k:A/>', '<t:A xpl:lib="t.xlib"/>',
     '<c:unit xpl:lib="t.xlib, t.xlib"><t:A/></c:unit>', '<k:A xmlns:k="t.xlib"/>'],
)  # fmt: skip
def test_ways_to_a_library(templates: Templates, body: str) -> None:
    """A library can be declared by c:import, xpl:lib and xmlns: on any element."""
    templates.library("<A><source><c:script>1</c:script></source></A>")
    text = f'<task><steps><step name="a"><source>{body}</source></step></steps></task>'
    assert templates.bench.run(text).result == 1


CALLS: list[tuple[str, str, list[str], str]] = [
    ("", "<t:Ecko/>", ["unknown-tag 3:1"], "'Echo'"),
    ("", '<t:Echo b="1"/>', ["unknown-attribute 3:9"], "it has a"),
    (' mandatory="true"', "<t:Echo/>", ["missing-attribute 3:1"], "needs the attribute a"),
    (' optional="false"', "<t:Echo/>", ["missing-attribute 3:1"], "needs the attribute a"),
    (' type="int"', '<t:Echo a="x"/>', ["bad-value 3:9"], "'x' is not of type int"),
    ("", "<t:Echo>text</t:Echo>", ["unknown-slot 3:1"], "no slots"),
    ("", "<t:Echo><b/></t:Echo>", ["unknown-slot 3:9"], "<b> fills no slot"),
    ("", '<t:Echo a="${1 +}"/>', ["script-syntax 3:17"], ""),
    ("", '<t:Echo xpl:slotScope="a"/>', ["no-meaning 3:9"], "nothing fills"),
]


@pytest.mark.parametrize(("declared", "body", "expected", "message"), CALLS)
def test_wrong_call(templates: Templates, declared: str, body: str, expected: list[str], message: str) -> None:
    """A wrong call is a problem of the file."""
    problems = templates.wrong(body, tags=ECHO.format(declared))
    assert locations_of(problems) == expected
    assert message in messages_of(problems)


SLOTTED = '<A><slot name="b" mandatory="true"><arg name="x"/></slot><slot name="default"/><source><c:script>1</c:script></source></A>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<t:A/>", ["missing-slot 3:1"]),
        ("<t:A><b/><b/></t:A>", ["doubled 3:10"]),
        ("<t:A><b/><default/><c:unit/></t:A>", ["doubled 3:20"]),
        ("<t:A><b c='1'/></t:A>", ["no-meaning 3:9"]),
        ("<t:A><b xpl:slotScope='1'/></t:A>", ["bad-value 3:9"]),
        ("<t:A><b xpl:slotScope='u,v'/></t:A>", ["bad-value 3:9"]),
        ("<t:A><b><c:break/></b></t:A>", ["no-meaning 3:9"]),
        ("<t:A><b><c:script>nobody</c:script></b></t:A>", ["unknown-variable 3:19"]),
        ("<t:A><b/>text</t:A>", ["unexpected-text 3:10"]),
    ],
)
def test_wrong_slot(templates: Templates, body: str, expected: list[str]) -> None:
    """Wrong content of a slot is a problem of the file."""
    assert locations_of(templates.wrong(body, {"n": 1}, tags=SLOTTED)[:1]) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("<A/>", ["missing-element t.xlib:2:1"]),
        ("<A b='1'><source/></A>", ["unknown-attribute t.xlib:2:4"]),
        ("<A transform='x'><source/></A>", ["unknown-attribute t.xlib:2:4"]),
        ("<A macro='yes'><source/></A>", ["bad-value t.xlib:2:4"]),
        ("<A outputMode='txt'><source/></A>", ["bad-value t.xlib:2:4"]),
        ("<A attrsVar='a b'><source/></A>", ["bad-value t.xlib:2:4"]),
        ("<A><atr/><source/></A>", ["unknown-element t.xlib:2:4"]),
        ("<A>text<source/></A>", ["unexpected-text t.xlib:2:1"]),
        ("<A><attr/><source/></A>", ["missing-attribute t.xlib:2:4"]),
        ("<A><attr name='a' b='1'/><source/></A>", ["unknown-attribute t.xlib:2:19"]),
        ("<A><attr name='a-b'/><source/></A>", ["bad-value t.xlib:2:10"]),
        ("<A><attr name='a' type='Foo'/><source/></A>", ["bad-value t.xlib:2:19"]),
        ("<A><attr name='a' type='int' defaultValue='x'/><source/></A>", ["bad-value t.xlib:2:30"]),
        ("<A><attr name='a' optional='true' mandatory='true'/><source/></A>", ["no-meaning t.xlib:2:19"]),
        ("<A><attr name='a'/><attr name='a'/><source/></A>", ["duplicate-name t.xlib:2:20"]),
        ("<A><attr name='a'/><slot name='a'/><source/></A>", ["duplicate-name t.xlib:2:20"]),
        ("<A><attr name='a'>text</attr><source/></A>", ["unexpected-text t.xlib:2:4"]),
        ("<A><slot name='a' b='1'/><source/></A>", ["unknown-attribute t.xlib:2:19"]),
        ("<A><slot name='a' slotType='x'/><source/></A>", ["bad-value t.xlib:2:19"]),
        ("<A><slot name='a' slotType='node'><arg name='b'/></slot><source/></A>", ["no-meaning t.xlib:2:4"]),
        ("<A><slot name='a'><arg/></slot><source/></A>", ["missing-attribute t.xlib:2:19"]),
        ("<A><slot name='a'><arg name='b c'/></slot><source/></A>", ["bad-value t.xlib:2:24"]),
        ("<A><source/><source/></A>", ["doubled t.xlib:2:13"]),
        ("<A><source a='1'/></A>", ["unknown-attribute t.xlib:2:12"]),
        ("<A><source xpl:outputMode='text'/></A>", ["unknown-attribute t.xlib:2:12"]),
        ("<A><return typ='int'/><source/></A>", ["unknown-attribute t.xlib:2:12"]),
        ("<A><return type='Foo'/><source/></A>", ["bad-value t.xlib:2:12"]),
        ("<A outputMode='text'><return type='int'/><source/></A>", ["no-meaning t.xlib:2:22"]),
        ("<A macro='true' outputMode='text'><source/></A>", ["no-meaning t.xlib:2:4"]),
        ("<A macro='true' attrsVar='a'><source/></A>", ["no-meaning t.xlib:2:17"]),
        ("<A conditionTag='true'><slot name='a'/><source/></A>", ["no-meaning t.xlib:2:4"]),
        ("<A><source/></A><A><source/></A>", ["duplicate-name t.xlib:2:17"]),
        ("text", ["unexpected-text t.xlib:1:6"]),
        ("<A><source><c:script>nobody</c:script></source></A>", ["unknown-variable t.xlib:2:22"]),
        ("<A><source>\n<c:script>1 +</c:script></source></A>", ["script-syntax t.xlib:3:14"]),
        ("<A><source><thisLib:B/></source></A>", ["unknown-tag t.xlib:2:12"]),
        ("<A internal='true'><source/></A>", ["unknown-tag 3:1"]),
    ],
)
def test_wrong_library(templates: Templates, tags: str, expected: list[str]) -> None:
    """Unknown and contradictory declarations in a library are problems."""
    assert locations_of(templates.wrong("<t:A/>", tags=tags)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<libs><tags/></libs>", ["wrong-root t.xlib:1:1"]),
        ("<lib/>", ["missing-element t.xlib:1:1"]),
        ("<lib a='1'><tags/></lib>", ["unknown-attribute t.xlib:1:6"]),
        ("<lib><tags a='1'/></lib>", ["unknown-attribute t.xlib:1:12"]),
        ("<lib><tag/><tags/></lib>", ["unknown-element t.xlib:1:6"]),
        ("<lib><tags>", ["xml t.xlib:1:12"]),
    ],
)
def test_wrong_file(templates: Templates, text: str, expected: list[str]) -> None:
    """A file without the form of a library is reported."""
    templates.bench.write(text, "t.xlib")
    problems = templates.bench.problems(templates.flow("<t:A/>"))
    assert locations_of(problems)[:1] == expected


RUNNING: list[tuple[str, str, str]] = [
    ('<A><attr name="a" type="int"/><source><c:script>a</c:script></source></A>', '<t:A a="${n}"/>', "flow1.task.xml:3:6: the attribute a: 'x' is not of type int"),
    ('<A><attr name="a" mandatory="true"/><source><c:script>a</c:script></source></A>', '<t:A a="${None}"/>', "flow1.task.xml:3:1: the attribute a is mandatory, but it is null"),
    ('<A><attr name="a"/><source><c:script>a</c:script></source></A>', '<t:A xpl:attrs="${{\'b\': 1}}"/>', "xpl:attrs: the tag has no attribute 'b'; it has a"),
    ('<A><attr name="a"/><source><c:script>a</c:script></source></A>', '<t:A xpl:attrs="${[1]}"/>', "xpl:attrs must be a map of attributes, not list"),
    ('<A><return type="int"/><source><c:script>"x"</c:script></source></A>', "<t:A/>", "flow1.task.xml:3:1: the tag's value: 'x' is not of type int"),
    ('<A><slot name="b"><arg name="x"/></slot><source><c:script>b(1, 2)</c:script></source></A>', "<t:A><b/></t:A>", "the slot 'b' takes 1 argument, not 2"),
    ('<A><slot name="b"><arg name="x"/></slot><source><c:script>b(1, x=2)</c:script></source></A>', "<t:A><b/></t:A>", "its argument 'x' twice"),
    ('<A><slot name="b"/><source><c:script>b(y=2)</c:script></source></A>', "<t:A><b/></t:A>", "no argument 'y'"),
    ('<A><slot name="b" slotType="node"/><source><c:unit xpl:slot="b"/></source></A>', "<t:A><b/></t:A>", "the slot 'b' is Element"),
    ('<A><slot name="b"/><source><c:script>b._env</c:script></source></A>', "<t:A><b/></t:A>", "_env"),
    ('<A><slot name="b"/><source><c:script>b.needs_await()</c:script></source></A>', "<t:A><b/></t:A>", "cannot read attributes of a SlotFunction"),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "body", "expected"), RUNNING)
def test_failure(templates: Templates, tags: str, body: str, expected: str) -> None:
    """A failure in a tag has a message with its reason."""
    if "b._env" in tags:
        assert expected in messages_of(templates.wrong(body, tags=tags))
    else:
        assert expected in templates.failure(body, {"n": "x"}, tags=tags)


def test_a_failure_is_located_in_the_library(templates: Templates) -> None:
    """A failing script is located in the library."""
    ran = templates.run("<t:A/>", tags="<A><source>\n  <c:script>1 / 0</c:script></source></A>")
    assert any("t.xlib:3:13" in note for note in ran.cause.__notes__)


@pytest.mark.parametrize(
    "tags",
    [
        "<A><source><thisLib:A/></source></A>",
        "<A><source><thisLib:B/></source></A><B><source><thisLib:A/></source></B>",
        "<A><source><c:try><body><thisLib:A/></body><finally><thisLib:A/></finally></c:try></source></A>",
        '<A><source><c:for end="9"><c:try><body><thisLib:A/></body><catch/></c:try></c:for></source></A>',
    ],
)
def test_endless_recursion(templates: Templates, tags: str) -> None:
    """Endless recursion exceeds the budget."""
    limits = Limits(ticks=20_000, seconds=5)
    assert templates.failure("<t:A/>", tags=tags, limits=limits).startswith("ScriptBudgetError")


MACROS: list[tuple[str, str, list[str]]] = [
    ("<A macro='true'><source><thisLib:A/><c:script>1</c:script></source></A>", "<t:A/>", ["cycle"]),
    ("<A macro='true'><source><c:script>return 1 / 0</c:script></source></A>", "<t:A/>", ["generator-failed"]),
    ("<A macro='true'><source><c:iff/></source></A>", "<t:A/>", ["unknown-tag"]),
    (
        "<A macro='true'><attr name='a' mandatory='true'/><source><c:unit/></source></A>",
        "<t:A/>",
        ["missing-attribute"],
    ),
    ("<A macro='true'><source><c:unit/></source></A>", "<t:A b='1'/>", ["unknown-attribute"]),
    ("<A macro='true'><source><c:unit/></source></A>", "<t:A>text</t:A>", ["unknown-slot"]),
    ("<A macro='true'><source><c:unit/></source></A>", "<t:A><b/></t:A>", ["unknown-slot"]),
    ("<A macro='true'><slot name='b' mandatory='true'/><source><c:unit/></source></A>", "<t:A/>", ["missing-slot"]),
    ("<A macro='true'><source><c:while test='1'/></source></A>", "<t:A/>", ["generator-failed"]),
]


@pytest.mark.parametrize(("tags", "body", "expected"), MACROS)
def test_wrong_macro(templates: Templates, tags: str, body: str, expected: list[str]) -> None:
    """Problems of macros and of their calls are reported."""
    problems = templates.wrong(body, tags=tags, limits=Limits(ticks=50_000))
    assert [item.code for item in problems][:1] == expected, messages_of(problems)


def test_a_tag_named_like_a_python_attribute(templates: Templates) -> None:
    """The name of a tag cannot reach an attribute of a Python object."""
    tags = "<__class__><source><c:script>1</c:script></source></__class__><keys><source><c:script>2</c:script></source></keys>"
    assert templates.value("<t:__class__/><t:keys/>", tags=tags) == 2
    assert locations_of(templates.wrong("<t:items/>", tags=tags)) == ["unknown-tag 3:1"]


def test_a_tag_has_its_own_variables(templates: Templates) -> None:
    """A tag can neither read nor set the variables of its caller."""
    tags = "<A><source><c:var name='n' value='9'/><c:script>n</c:script></source></A>"
    assert templates.value("<t:A/><c:script>n</c:script>", {"n": 1}, tags=tags) == 1
    problems = templates.wrong(
        "<t:A/>", {"n": 1}, tags="<A><attr name='m'/><source><c:script>n</c:script></source></A>"
    )
    assert found(problems)[0][0] == "unknown-variable"
    assert "'m'" in messages_of(problems) or "its own" in messages_of(problems)


def test_template_in_a_process(templates: Templates) -> None:
    """A template cannot run in a worker process: the message says what to do."""
    templates.library("")
    text = (
        '<task><steps><step name="a" executor="{}"><source><c:script>return 3</c:script></source></step></steps></task>'
    )
    waits = '<task xmlns:p="p"><steps><step name="a" executor="thread"><source><p:f/></source></step></steps></task>'
    ran = templates.bench.run(waits, tags={"p": {"f": lambda: 1}})
    assert "runs on the event loop" in str(ran.cause)
    assert "cannot run in another process" in str(templates.bench.run(text.format("process")).cause)
    assert templates.bench.run(text.format("thread")).result == 3
