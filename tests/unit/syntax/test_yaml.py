"""Flows in YAML and JSON: the element or attribute of each key, locations, and errors."""

from __future__ import annotations

from typing import Any

import pytest

from taskrun.compile.registry import Registry
from taskrun.errors import XmlError
from taskrun.syntax import load as loading
from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.load import load, parse, parse_form
from taskrun.syntax.node import Node
from taskrun.syntax.validate import find_problems

SCHEMA = Registry().schema


def read(text: str, name: str = "f.yaml") -> Node:
    return parse_form(name, text.encode(), SCHEMA)


def plain(node: Node) -> Any:
    """Return a tree without its locations."""
    return node.tag, dict(node.attributes), node.text, [plain(child) for child in node.children]


def step(text: str) -> Node:
    """Return the only step of a flow, whose keys are given."""
    lines = "".join(f"  {line}\n" if line else "\n" for line in text.split("\n"))
    return read(f"xmlns:my: urn:my\nsteps:\n- type: step\n{lines}").children[-1].children[0]


def refused(text: str, name: str = "f.yaml") -> list[tuple[str, str]]:
    """Return the codes and locations of the problems of a file."""
    with pytest.raises(XmlError) as caught:
        read(text, name)
    return [(item.code, f"{item.location.line}:{item.location.column}") for item in caught.value.diagnostics]


FLOW = """
name: greet
inputs:
  - {name: who, type: str, mandatory: true, description: the name}
imports:
  - {as: A, class: "a:B"}
beans:
  - id: b
    class: c:D
    properties: [{name: p, value: 1}]
steps:
  - type: choose
    name: pick
    decider: who
    cases:
      - to: "a"
        steps: [{type: step, source: 'return 1'}]
    otherwise:
      steps: []
  - type: step
    in:x: 1
    retry: {maxRetryCount: 3, exception-filter: exception.ok}
    decorators: [{name: d, my:z: 1}]
    source: <c:if test="x">a<b/>c</c:if>
xmlns:my: urn:my
outputs: [{name: RESULT}]
"""
AS_XML = """<task name="greet" xmlns:my="urn:my">
  <input name="who" type="str" mandatory="true"><description>the name</description></input>
  <import as="A" class="a:B"/>
  <beans><bean id="b" class="c:D"><property name="p" value="1"/></bean></beans>
  <steps>
    <choose name="pick"><decider>who</decider>
      <case to="a"><steps><step><source>return 1</source></step></steps></case>
      <otherwise><steps/></otherwise>
    </choose>
    <step in:x="1">
      <retry maxRetryCount="3"><exception-filter>exception.ok</exception-filter></retry>
      <decorator name="d" my:z="1"/>
      <source><c:if test="x">a<b/>c</c:if></source>
    </step>
  </steps>
  <output name="RESULT"/>
</task>"""


def test_the_same_tree_as_xml() -> None:
    assert plain(read(FLOW)) == plain(parse("f.xml", AS_XML.encode()))


@pytest.mark.parametrize("text", ["012", "yes", "12:30", "1.50", "0x1F", "2024-01-02", "1_000", "True", ".5", "on"])
def test_scalars_keep_their_text(text: str) -> None:
    assert step(f"displayName: {text}").attributes["displayName"] == text
    assert step(f"displayName: {text} # comment").attributes["displayName"] == text


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_null_values_are_omitted(text: str) -> None:
    found = step(f"displayName: {text}\nsource: {text}")
    assert not found.attributes
    assert not found.children


@pytest.mark.parametrize("text", ["'null'", '"~"', "!!str null", '""'])
def test_a_text_that_looks_like_null(text: str) -> None:
    assert step(f"displayName: {text}").attributes["displayName"] in {"null", "~", ""}


def test_prefixed_keys() -> None:
    found = step(
        "my:a: 1\nmy:b: {x: [1, 012, 'true', true], y: ~}\nmy:c: {type: my:c, z: 1}\nmy:d: [1]\n"
        "my:e: [{type: my:e}, {type: my:e}]\nin:x: {mandatory: true, $text: 1}\nin:y: <c:if/>"
    )
    assert found.attributes == {
        "my:a": "1",
        "my:b": '@:{"x": [1, "012", "true", true], "y": null}',
        "my:d": "@:[1]",
    }
    assert [plain(child) for child in found.children] == [
        ("my:c", {"z": "1"}, "", []),
        ("my:e", {}, "", []),
        ("my:e", {}, "", []),
        ("in:x", {"mandatory": "true"}, "1", []),
        ("in:y", {}, "", [("c:if", {}, "", [])]),
    ]


def test_values_of_inputs_may_be_data() -> None:
    inputs = step("inputs: [{name: x, value: [1, {a: b}]}]").children
    assert inputs[0].attributes["value"] == '@:[1, {"a": "b"}]'


def test_special_keys() -> None:
    found = step("$attributes: {source: a}\nrevert: {x: 1, $text: <a>}\n$elements: [{$tag: input, type: int}]")
    assert found.attributes == {"source": "a"}
    assert [plain(child) for child in found.children] == [
        ("revert", {"x": "1"}, "<a>", []),
        ("input", {"type": "int"}, "", []),
    ]


def test_text_that_only_looks_like_xml() -> None:
    assert step("source: {$text: <a>}").children[0].text == "<a>"
    assert step("description: <a>").children[0].text == "<a>"
    assert step("source: '<![CDATA[ <a> ]]>'").children[0].text == " <a> "


def at(node: Node, index: int, attribute: str | None = None) -> str:
    place = node.character_at(index, attribute)
    return f"{place.line}:{place.column}"


SCRIPTS = """steps:
  - type: step
    name:  "a\\u0062\\
      c"
    source: |
      x = 1

        y = 2
      return x
    catch: >-
      some
      words

      more
    finally: 'it''s
      two lines'
    when: plain
      text
"""


def test_places_in_scripts() -> None:
    found = read(SCRIPTS).children[0].children[0]
    source, catch, final, when = found.children
    assert found.attributes["name"] == "abc"
    assert [at(found, index, "name") for index in range(4)] == ["3:13", "3:14", "4:7", "4:8"]
    assert source.text == "x = 1\n\n  y = 2\nreturn x\n"
    places = ["6:7", "6:8", "6:9", "6:10", "6:11"]
    assert [at(source, index) for index in range(5)] == places
    assert at(source, source.text.index(" y")) == "8:8"
    assert at(source, source.text.index("y")) == "8:9"
    assert at(source, source.text.index("return")) == "9:7"
    assert at(source, len(source.text) - 2) == "9:14"
    assert catch.text == "some words\nmore"
    assert [at(catch, catch.text.index(word)) for word in ("some", "words", "more")] == ["11:7", "12:7", "14:7"]
    assert final.text == "it's two lines"
    assert [at(final, final.text.index(word)) for word in ("it", "'s", "s", "two")] == [
        "15:15",
        "15:17",
        "15:19",
        "16:7",
    ]
    assert when.text == "plain text"
    assert [at(when, when.text.index(word)) for word in ("plain", "text")] == ["17:11", "18:7"]


def test_places_of_elements_and_attributes() -> None:
    root = read("name: a\nsteps:\n  - type: step\n    in:x: 1 + q\n    retry: {maxRetryCount: 3}\n    source: 1\n")
    found = root.children[0].children[0]
    assert [str(node.at) for node in root.walk()] == [
        "f.yaml:1:1", "f.yaml:2:1", "f.yaml:3:5", "f.yaml:5:5", "f.yaml:6:5",
    ]  # fmt: skip
    assert str(root.attribute_at("name")) == "f.yaml:1:1"
    assert str(found.children[0].attribute_at("maxRetryCount")) == "f.yaml:5:13"
    written_out = rewrite_short_forms(root).children[0].children[0].children[0]
    assert written_out.tag == "input"
    assert str(written_out.at) == "f.yaml:4:5"
    assert at(written_out.children[0], 4) == "4:15"


def test_places_in_xml_inside() -> None:
    when = read(
        'steps:\n  - type: step\n    when: |\n      <c:if a="1">\n        <c:x  b="&lt;c"/>text\n      </c:if>\n'
    )
    outer = when.children[0].children[0].children[0].children[0]
    inner, text = outer.children
    assert [str(node.at) for node in (outer, inner)] == ["f.yaml:4:7", "f.yaml:5:9"]
    assert str(inner.attribute_at("b")) == "f.yaml:5:15"
    assert at(inner, 1, "b") == "5:22"
    assert at(text, 1) == "5:27"


def test_json_with_tabs_and_escapes() -> None:
    root = read('{\n\t"steps": [{"type": "step", "source": "a\\n\\u00e4 \\ud83d\\ude00b"}]\n}', "f.json")
    source = root.children[0].children[0].children[0]
    assert source.text == "a\nä 😀b"
    assert [at(source, index) for index in range(7)] == ["2:40", "2:41", "2:43", "2:49", "2:50", "2:62", "2:63"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [("yaml", "1:1")]),
        ("name: a\nname: b", [("doubled", "2:1")]),
        ("a: 1\n---\nb: 1", [("yaml", "2:1")]),
        ("a: [", [("yaml", "1:5")]),
        ("a: \x07", [("yaml", "1:4")]),
        ('name: "a\\x07"', [("yaml", "1:9")]),
        ("a: !!python/name:os.system x", [("yaml", "1:4")]),
        ("a: !mine {}", [("yaml", "1:4")]),
        ("? [a]\n: b", [("wrong-form", "1:3")]),
        ("<<: {a: 1}", [("yaml", "1:1")]),
        ("x:a: &x [*x]", [("yaml", "1:10")]),
        ("x:a: *x", [("yaml", "1:6")]),
        ("[]", [("wrong-form", "1:1")]),
        ("text", [("wrong-form", "1:1")]),
        ("a b: 1", [("wrong-form", "1:1")]),
        ("$txt: 1", [("wrong-form", "1:1")]),
        ("$text: 1\n$xml: 2", [("wrong-form", "2:1")]),
        ("$text: 1\nsteps: []", [("wrong-form", "1:8")]),
        ("$elements: 1", [("wrong-form", "1:12")]),
        ("$attributes: {a: []}", [("wrong-form", "1:15")]),
        ("name: a\n$attributes: {name: b}", [("doubled", "2:15")]),
        ("inputs: {name: x}", [("wrong-form", "1:9")]),
        ("inputs: [x, y]", [("wrong-form", "1:10"), ("wrong-form", "1:13")]),
        ("beans: [x]", [("wrong-form", "1:9")]),
        ("retry: [1]", [("wrong-form", "1:8")]),
        ("input: [{name: x}]", [("wrong-form", "1:8")]),
        ("steps: [{name: x}]", [("wrong-form", "1:9")]),
        ("steps: [{type: '<x>'}]", [("wrong-form", "1:16")]),
        ("steps: [x]", [("wrong-form", "1:9")]),
        ("inputz: [{name: x}]", [("wrong-form", "1:1")]),
        ('"\\u0069n:x": 1', [("wrong-form", "1:1")]),
        ("my:a: 1", [("prefix", "1:1")]),
        ("xmlns:my: m\nmy:a: {type: my:b}", [("wrong-form", "2:14")]),
        ("onEnter: <a><b></a>", [("xml", "1:18")]),
        ("onEnter: </onEnter><onEnter>", [("xml", "1:20")]),
        ("onEnter: |\n  <a\n   my:x='1'/>", [("prefix", "3:4")]),
        ("onEnter: |\n\n  <my:a/>", [("prefix", "3:3")]),
    ],
)
def test_refused(text: str, problems: list[tuple[str, str]]) -> None:
    assert refused(text) == problems


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a":1,}', "1:8"), ('{"a" 1}', "1:6"), ("[1 2]", "1:4"), ("{a:1}", "1:2"), ("[01]", "1:2"), ('["a\n"]', "1:2"),
        ("", "1:1"), ("{}x", "1:3"), ("[tru]", "1:2"), ("// c\n{}", "1:1"), ("[1", "1:3"), ("[1.]", "1:2"),
    ],
)  # fmt: skip
def test_malformed_json(text: str, place: str) -> None:
    assert refused(text, "f.json") == [("json", place)]
    assert refused('{"a": 1,\n "a": 2}', "f.json") == [("doubled", "2:2")]


def test_all_problems_are_reported_in_order() -> None:
    problems = refused("my:a: 1\nsteps:\n  - {name: x}\n  - {type: step, inputs: 1, our:z: 2}\n")
    assert problems == [("prefix", "1:1"), ("wrong-form", "3:5"), ("wrong-form", "4:26"), ("prefix", "4:29")]


def test_the_schema_points_into_the_file() -> None:
    root = read(
        "steps:\n  - type: step\n    name: a\n    sorce: |\n      return 1\n    timeot: {a: 1}\n  - type: stepp\n"
    )
    shown = "\n".join(map(str, find_problems(root, SCHEMA)))
    assert "f.yaml:4:5: error[unknown-attribute]: <step> has no attribute sorce\n        sorce: |\n        ^" in shown
    assert "f.yaml:6:5: error[unknown-element]" in shown
    assert "f.yaml:7:5: error[unknown-element]: <stepp> is not known in <steps>" in shown
    assert "did you mean 'step'?" in shown


def test_bounds(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = loading.MAX_DEPTH + 1
    assert refused("x:a: " + "[" * deep + "]" * deep) == [("too-deep", f"1:{loading.MAX_DEPTH + 5}")]
    assert refused('{"x:a": ' + "[" * deep + "]" * deep + "}", "f.json")[0][0] == "too-deep"
    assert refused("onEnter: " + "<a>" * deep + "</a>" * deep)[0][0] == "too-deep"
    bomb = "x:a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    for one, other in zip("abcdef", "bcdefg", strict=True):
        bomb += f"x:{other}: &{other} [{','.join([f'*{one}'] * 10)}]\n"
    assert refused(bomb)[0][0] == "too-large"
    half = deep // 2 + 1
    nested = f"x:a: &a {'[' * half}{']' * half}\nx:b: {'[' * half}*a{']' * half}\n"
    assert refused(nested)[0][0] == "too-deep"
    monkeypatch.setattr(loading, "MAX_BYTES", 3)
    (tmp_path / "f.task.yaml").write_text("steps: []")
    with pytest.raises(XmlError, match="too-large"):
        load(str(tmp_path / "f.task.yaml"))


def test_aliases() -> None:
    root = read("steps:\n  - {type: step, retry: &r {maxRetryCount: 2}}\n  - {type: step, retry: *r}\n")
    first, second = root.children[0].children
    assert plain(first) == plain(second)
    assert str(second.children[0].attribute_at("maxRetryCount")) == "f.yaml:2:29"


@pytest.mark.parametrize("fast", [True, False])
def test_both_parsers_of_yaml(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    if not fast:
        monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    test_the_same_tree_as_xml()
    test_places_in_scripts()
    test_aliases()


def test_deep_but_allowed() -> None:
    depth = (loading.MAX_DEPTH - 2) // 2
    text = "{type: sequential, steps: [" * depth + "]}" * depth
    assert sum(1 for _ in read(f"steps: [{text}]").walk()) == 2 * depth + 2


def test_line_ends_of_windows() -> None:
    source = read("steps:\r\n- type: step\r\n  source: |\r\n    a\r\n    bc\r\n").children[0].children[0].children[0]
    assert source.text == "a\nbc\n"
    assert at(source, 3) == "5:6"
