"""Validation: valid trees pass, and every problem of an invalid tree is explained."""

from __future__ import annotations

import textwrap

import pytest

from taskrun.errors import Diagnostic, SchemaError, raise_errors
from taskrun.source import Source
from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.load import parse
from taskrun.syntax.node import TEXT, Node
from taskrun.syntax.schema import ElementDeclaration, ExtraElement, Schema
from taskrun.syntax.schema_errors import explain
from taskrun.syntax.validate import find_problems

SCHEMA = Schema()
DURATION = "a time: milliseconds such as 250, a number with its unit (250ms, 1.5s, 2m, 1h), or text with ${…}"
SAMPLES = {
    "xs:boolean": "true", "xs:integer": "-1", "xs:nonNegativeInteger": "0", "xs:positiveInteger": "1",
    "JoinType": "allComplete", "Duration": "1.5s", "Rate": "0.5", "NameMap": "a=b",
}  # fmt: skip
EMPTY = Source("empty", "")


def validate(root: Node, schema: Schema) -> None:
    """Raise SchemaError with the problems of a tree."""
    raise_errors(find_problems(root, schema), SchemaError)


def problems(text: str, schema: Schema = SCHEMA) -> tuple[Diagnostic, ...]:
    """The problems of a file, none when it is right."""
    root = rewrite_short_forms(parse("f.task.xml", textwrap.dedent(text).strip().encode()))
    return tuple(find_problems(root, schema))


def steps(text: str) -> str:
    """Return a task on one line with these steps, which begin in column 14."""
    return f"<task><steps>{text}</steps></task>"


def only(text: str, schema: Schema = SCHEMA) -> Diagnostic:
    """Return the only problem of a file."""
    (problem,) = problems(text, schema)
    return problem


def node(tag: str, attributes: dict[str, str] | None = None, *children: Node, text: str = "") -> Node:
    """Return an element that is in no file."""
    return Node(tag, attributes or {}, children, text, EMPTY, 1, 1)


def test_a_file_with_everything_passes() -> None:
    """Children in any order, extensions, scripts with tags, short forms and unnamed steps are valid."""
    text = """
    <task name="reports/daily" version="2" x:schema="/task.xdef" xmlns:my="m" my:note="n">
      <description>What it does, in prose; it takes <my:emphasis/> too.</description>
      <meta owner="me"><a><b/></a>text</meta>
      <auth roles="admin"/>
      <import as="Date" class="datetime:date"/>
      <beans><bean id="b" class="m:C" destroyMethod="close">
        <constructor-arg value="${1}"/><property name="p" ref="q"/></bean></beans>
      <steps>
        <step in:x="1"><source>return 1</source><in:y mandatory="true">2</in:y><when><eq name="x" value="@:1"/></when></step>
        <my:step anything="goes"><steps><unknown/></steps></my:step>
        <if><condition>x</condition><then><steps><exit/></steps></then><else name="no"><catch>1</catch></else></if>
        <custom customType="my:Tag" my:a="${1}"><my:slot><c:script>1</c:script></my:slot></custom>
        <step><source><c:script lang="x">1 <weird attribute="1"/></c:script></source><rate-limit
          requestPerSecond="2" maxWait="1s"/><revert retryDelay="5">x</revert></step>
        <loop while:x="" xmlns:while="w"><until>done</until></loop>
      </steps>
      <output name="RESULT"/>
      <input name="z"><schema>{"type": "string"}</schema></input>
    </task>
    """
    assert problems(text) == ()


@pytest.mark.parametrize(
    ("text", "column", "code", "message", "hint"),
    [
        (
            '<step timout="5"/>', 20, "unknown-attribute", "<step> has no attribute timout", "did you mean 'timeout'?"
        ),
        (
            '<step when="x"/>', 20, "unknown-attribute", "<step> has no attribute when",
            "when is an element: <when>…</when>",
        ),
        (
            '<sequential joinType="allSuccess"/>', 26, "unknown-attribute", "<sequential> has no attribute joinType",
            "joinType belongs to <fork>, <fork-n> or <parallel>",
        ),
        (
            '<step><flags zzz="x"/></step>', 27, "unknown-attribute", "<flags> has no attribute zzz",
            "allowed here: disable, enable, match, rename",
        ),
        (
            '<step><source lang="x"/></step>', 28, "unknown-attribute", "<source> has no attribute lang",
            "lang belongs to <script>",
        ),
        (
            '<step><source zzz="x"/></step>', 28, "unknown-attribute", "<source> has no attribute zzz",
            "no attribute is allowed here",
        ),
        (
            '<fork varName="v" joinType="allSuccess" joinTyp=""/>', 54, "unknown-attribute", "<fork> has no attribute joinTyp",
            "did you mean 'joinType'?",
        ),
        (
            '<step xmlns="u"/>', 20, "unknown-attribute", "<step> has no attribute xmlns",
            "the elements of a task file have no namespace; remove it",
        ),
        (
            "<stop/>", 14, "unknown-element", "<stop> is not known in <steps>", "did you mean 'step'?"
        ),
        (
            "<then/>", 14, "unknown-element", "<then> is not known in <steps>", "<then> belongs in <if>"
        ),
        (
            "<throttle/>", 14, "unknown-element", "<throttle> is not known in <steps>",
            "<throttle> belongs in any step or <task>",
        ),
        (
            "<if><loop/></if>", 18, "unknown-element", "<loop> is not known in <if>", "<loop> belongs in <steps>"
        ),
        (
            "<step><timeout>5</timeout></step>", 20, "unknown-element", "<timeout> is not known in <step>",
            'timeout is an attribute: timeout="…"',
        ),
        (
            "<step><retry><zzz/></retry></step>", 27, "unknown-element", "<zzz> is not known in <retry>",
            "allowed here: <exception-filter>",
        ),
        (
            "<step><description>a<zzz/></description></step>", 34, "unknown-element",
            "<zzz> is not known in <description>", "no element is allowed here",
        ),
        (
            "<step><c:script>1</c:script></step>", 20, "unknown-element", "<c:script> has no meaning in <step>",
            "template tags are allowed in scripts such as <source>",
        ),
        (
            "<x:div/>", 14, "unknown-element", "<x:div> has no meaning in <steps>", ""
        ),
        (
            '<invoke bean="b"/>', 14, "missing-attribute", "<invoke> needs the attribute method",
            "method: The name of the method. The inputs of the step are its arguments, by name.",
        ),
        (
            '<step timeout="soon"/>', 20, "bad-value", f"timeout is 'soon'; expected {DURATION}", "",
        ),
        (
            '<step allowFailure="True"/>', 20, "bad-value", "allowFailure is 'True'; expected true or false",
            "did you mean 'true'?",
        ),
        (
            '<fork varName="v" joinType="allsuccess"/>', 32, "bad-value",
            "joinType is 'allsuccess'; expected allSuccess, anyFailure, anySuccess or allComplete",
            "did you mean 'allSuccess'?",
        ),
        (
            '<step next="@exti"/>', 20, "bad-value",
            "next is '@exti'; expected the name of a step in the same <steps>, or @exit, @end or @suspend",
            "did you mean '@exit'?",
        ),
        (
            '<step timeout=""/>', 20, "bad-value", f"timeout is ''; expected {DURATION}",
            "leave the attribute out",
        ),
        (
            '<simple bean=""/>', 22, "bad-value", "bean is ''; expected text that is not empty", ""
        ),
        (
            '<loop maxCount="1_000"/>', 20, "bad-value", "maxCount is '1_000'; expected a whole number, 0 or above", ""
        ),
        (
            "<step> return 1</step>", 21, "unexpected-text", "<step> cannot contain the text 'return 1'",
            "write a script in <source>",
        ),
        (
            "<step></step> then", 28, "unexpected-text", "<steps> cannot contain the text 'then'", ""
        ),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem(text: str, column: int, code: str, message: str, hint: str) -> None:
    """Each kind of mistake has its code, location, message and hint."""
    problem = only(steps(text))

    assert (problem.code, problem.message, problem.hint) == (code, message, hint)
    assert (problem.location.path, problem.location.line, problem.location.column) == ("f.task.xml", 1, column)


def test_every_problem_is_reported_in_the_order_of_the_file() -> None:
    """All problems are reported except for those inside an unknown element."""
    text = """
    <task nme="x">
      words
      <input nam="a"
             mandatory="maybe"/>
      <steps>
        <unknown><step bad="1"/></unknown>
        <step in:a-b="1" timeout="x"><sorce/></step>
        <loop><steps>
          <throttle/>
          <invoke/>
        </steps></loop>
      </steps>
    </task>
    """

    found = [(problem.location.line, problem.location.column, problem.code) for problem in problems(text)]

    assert found == [
        (1, 7, "unknown-attribute"),
        (2, 3, "unexpected-text"),
        (3, 10, "unknown-attribute"),
        (4, 10, "bad-value"),
        (6, 5, "unknown-element"),
        (7, 11, "bad-value"),
        (7, 22, "bad-value"),
        (7, 34, "unknown-element"),
        (9, 7, "unknown-element"),
        (10, 7, "missing-attribute"),
        (10, 7, "missing-attribute"),
    ]


def test_a_misspelt_required_attribute_is_not_missing_too() -> None:
    """A misspelt required attribute is one problem; another missing attribute is still reported."""
    found = [(problem.code, problem.message) for problem in problems(steps('<invoke metod="m"/>'))]

    assert found == [
        ("missing-attribute", "<invoke> needs the attribute bean"),
        ("unknown-attribute", "<invoke> has no attribute metod"),
    ]


def test_the_error_shows_line_caret_and_hint() -> None:
    """The text of the error has the source line, a caret and a hint."""
    with pytest.raises(SchemaError) as caught:
        validate(parse("f.task.xml", b'<task>\n  <input nmae="x"/>\n</task>'), SCHEMA)

    assert str(caught.value) == (
        "f.task.xml:2:10: error[unknown-attribute]: <input> has no attribute nmae\n"
        '      <input nmae="x"/>\n'
        "             ^\n"
        "    hint: did you mean 'name'?"
    )


@pytest.mark.parametrize(
    ("text", "hint"), [("<taks/>", "did you mean 'task'?"), ("<flow/>", ""), ("<x:task/>", "did you mean 'task'?")]
)
def test_wrong_root(text: str, hint: str) -> None:
    """A wrong root element is the only problem that is reported."""
    problem = only(text)

    assert problem.code == "wrong-root"
    assert problem.message == f"the root element is {text.replace('/', '')}; a task file must have <task>"
    assert problem.hint == hint


def test_added_step_types_are_known() -> None:
    """A step type of another package is valid, and its mistakes are explained with its own names."""
    schema = Schema([ExtraElement("notify", "step", ("url",), ("body",))], ("priority",))

    assert problems(steps('<notify name="n" url="u" priority="1"><body><any/></body></notify>'), schema) == ()
    assert only(steps('<notify ulr="u"/>'), schema).hint == "did you mean 'url'?"
    assert only(steps("<notfy/>"), schema).hint == "did you mean 'notify'?"
    assert only(steps('<notify timeout="x"/>'), schema).code == "bad-value"
    assert only(steps("<notify/>")).code == "unknown-element"


def element_chain(chain: tuple[str, ...], grammar: ElementDeclaration, *inner: Node, **extra: str) -> Node:
    """Return elements nested along a chain of tags with their required attributes; ``extra`` are further attributes of the last."""
    declared = grammar
    path = [declared]
    for tag in chain[1:]:
        declared = declared.children[tag]
        path.append(declared)
    made = inner
    for declared in reversed(path):
        required = {name: SAMPLES.get(found.type, "a") for name, found in declared.attributes.items() if found.required}
        made = (node(declared.tag, {**required, **extra}, *made),)
        extra = {}
    return made[0]


CHAINS = sorted(chain for chain, _ in SCHEMA.declarations.walk())


@pytest.mark.parametrize("chain", CHAINS, ids="/".join)
def test_lxml_and_the_explanation_agree(chain: tuple[str, ...]) -> None:
    """For every element, lxml and the explanation agree on a valid tree, and one mistake is one problem."""
    grammar = SCHEMA.declarations
    declared = dict(grammar.walk())[chain]
    everything = {name: SAMPLES.get(found.type, "a") for name, found in declared.attributes.items()}

    for right in (element_chain(chain, grammar), element_chain(chain, grammar, node("a:b"), **everything)):
        validate(right, SCHEMA)
        assert explain(right, SCHEMA) == []
    for wrong in (
        element_chain(chain, grammar, node("zzz")),
        element_chain(chain, grammar, zzz=""),
        element_chain(chain, grammar, node(TEXT, text="zzz")),
    ):
        found = explain(wrong, SCHEMA)
        allowed = (declared.opaque, declared.any_attribute, declared.text)
        if found:
            assert len(found) == 1
            with pytest.raises(SchemaError) as caught:
                validate(wrong, SCHEMA)
            assert list(caught.value.diagnostics) == found
        else:
            assert any(allowed)
            validate(wrong, SCHEMA)


NAMES = ["", ":", "a:", ":a", "a:b:c", "ªx", "é", "a b", "a\0b", "\ud800", "<", "名前", "x" * 10_000]


@pytest.mark.parametrize("name", NAMES)
def test_unusual_names_are_refused_or_ignored(name: str) -> None:
    """No name crashes: a prefixed one is an extension, any other is unknown, and scripts may have any."""
    expected = set() if ":" in name else {"unknown-attribute", "unknown-element"}

    root = node("task", {name: "1"}, node(name))
    in_script = node("task", {}, node("onEnter", {}, node(name, {name: "1"})))

    assert {problem.code for problem in explain(root, SCHEMA)} == expected
    if expected:
        with pytest.raises(SchemaError):
            validate(root, SCHEMA)
    else:
        validate(root, SCHEMA)
    validate(in_script, SCHEMA)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "💥", "\x85", "9" * 5_000, "NaN", "${", "\n"])
def test_unusual_values_never_crash(value: str) -> None:
    """Values with characters that XML does not allow are validated like all others."""
    loop = node("loop", {"maxCount": value}, node("rate-limit", {"requestPerSecond": "0", "maxWait": "1"}, text=value))

    with pytest.raises(SchemaError) as caught:
        validate(node("task", {"displayName": value}, node("steps", {}, loop)), SCHEMA)

    assert {"bad-value"} <= {problem.code for problem in caught.value.diagnostics} <= {"bad-value", "unexpected-text"}


def test_deep_trees_do_not_exhaust_the_stack() -> None:
    """The validation of deep trees is not recursive."""
    inner = node("sequential", {"zzz": ""})
    for _ in range(2_000):
        inner = node("sequential", {}, node("steps", {}, inner))

    with pytest.raises(SchemaError) as caught:
        validate(node("task", {}, node("steps", {}, inner)), SCHEMA)

    assert len(caught.value.diagnostics) == 1


def test_a_problem_that_only_lxml_finds_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the explanation finds nothing, the message of the validator is reported."""
    monkeypatch.setattr("taskrun.syntax.schema_errors.explain", lambda root, schema: [])

    problem = only("<task><a:b xmlns:a='a'/><steps><!-- --><step/><step/>\n  <loop maxCount='x'/></steps></task>")

    assert (problem.code, problem.location.line, problem.location.column) == ("schema", 2, 3)
    assert problem.message.startswith("the schema refuses <loop>: ")
    assert "maxCount" in problem.message
