"""Every flow, and any tree, is the same after writing and parsing it as YAML, JSON and XML; flows in YAML run the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from forking import ForkServer
from hypothesis import given, settings
from hypothesis import strategies as st

from taskrun.cli.convert import serialize
from taskrun.compile.registry import Registry
from taskrun.errors import XmlError
from taskrun.source import Source
from taskrun.syntax.dedent import tidy
from taskrun.syntax.forms.shapes import Shapes
from taskrun.syntax.forms.yaml_write import write_json, write_yaml
from taskrun.syntax.load import load, parse, parse_form
from taskrun.syntax.node import TEXT, Node, same
from taskrun.syntax.xml_write import write_xml

HERE = Path(__file__).parents[1]
EXAMPLES = HERE.parent / "examples"
FLOWS = sorted(file for folder in (HERE / "flows", EXAMPLES) for file in folder.rglob("*.xml"))
SCHEMA = Registry().schema
SHAPES = Shapes(SCHEMA)

COUNTS_ITS_FILES = {"13_shell"}
"""Examples that see in which form their flow is."""


@pytest.mark.parametrize("form", ["xml", "yaml", "json"])
def test_every_flow_survives_a_round_trip(form: str) -> None:
    converted = 0
    for file in FLOWS:
        try:
            root = load(str(file))
        except XmlError:
            continue  # a flow that is wrong on purpose
        assert serialize(root, form, SCHEMA), file
        converted += 1
    assert converted > len(FLOWS) * 0.9


@pytest.mark.parametrize("form", ["xml", "yaml", "json"])
def test_tidy_scripts_are_the_same_programs(form: str) -> None:
    for file in FLOWS:
        try:
            root = load(str(file))
        except XmlError:
            continue
        tidied = tidy(root, SCHEMA.opaque, indented=form == "xml")
        assert serialize(tidied, form, SCHEMA), file
        again = tidy(tidied, SCHEMA.opaque, indented=form == "xml")
        assert same(tidied, again), file
        for old, new in zip(root.walk(), tidied.walk(), strict=True):
            assert old.text.split() == new.text.split()


def cases() -> list[Any]:
    """Yield every call of every example that is a flow in XML."""
    return [
        pytest.param(file.parent, case, id=f"{file.parent.name}/{number}")
        for file in sorted(EXAMPLES.glob("*/expected.json"))
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8")), 1)
        if isinstance(case, dict)  # the others are several calls
        and case["words"][0].endswith(".xml")
        and case["status"] == 0
        and "--allow" not in case["words"]
        if file.parent.name not in COUNTS_ITS_FILES
    ]


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize(("folder", "case"), cases())
def test_converted_examples_run_the_same(
    folder: Path, case: dict[str, Any], form: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    for file in folder.rglob("*.xml"):
        there = tmp_path / file.relative_to(folder).with_suffix(f".{form}")
        there.parent.mkdir(parents=True, exist_ok=True)
        tidied = tidy(load(str(file)), SCHEMA.opaque, indented=False)
        text = serialize(tidied, form, SCHEMA).replace("task.xml", f"task.{form}").replace("lib.xml", f"lib.{form}")
        there.write_text(text, "utf-8")
    for file in folder.rglob("*"):
        if file.suffix in {".xlib", ".py"}:
            shutil.copy(file, tmp_path / file.relative_to(folder))
    words = [Path(case["words"][0]).with_suffix(f".{form}").name, *case["words"][1:]]
    done = fork_server.run(tmp_path, *words)
    assert done.err.splitlines() == case["err"]
    assert json.loads(done.out) == case["out"]


NAMES = st.sampled_from(
    [
        "task",
        "step",
        "steps",
        "input",
        "output",
        "source",
        "when",
        "type",
        "name",
        "value",
        "inputs",
        "case",
        "cases",
        "description",
        "meta",
        "retry",
        "beans",
        "bean",
        "property",
        "sequential",
        "choose",
        "decider",
        "otherwise",
        "flags",
        "in:x",
        "out:y",
        "x:extends",
        "my:a",
        "my:b",
        "c:if",
        "xmlns:my",
        "null",
        "yes",
        "on",
        "ü",
        "a.b-c",
        "retrys",
        "decorator",
        "true",
        "revert",
        "properties",
    ]
)
ATTRIBUTES = NAMES | st.sampled_from(["my:type", "id", "timeout", "xpl:x"])
TEXTS = st.text(
    st.sampled_from("ab01 \n\t\r'\"<>&:#-|%@`{}[],?!*~=.$\\\x85\u2028\ufeff😀ä\x7f")
    | st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    max_size=12,
) | st.sampled_from([
    "null", "~", "012", "1.50", "1e3", "true", "yes", "12:30", "<a/>", "<<", "=", "- a", "a: b", "a #b", "\n  x\n   y\n ", "  x\n",
    "x\n\n", "]]>", "x\n]]>&", "2024-01-01", "@:{}", "${x}", "# x", "%a", "'", "---", "...", "a\n---\nb", "a\n...\nb",
])  # fmt: skip
CONTENT = TEXTS.map(lambda text: "" if text.isspace() else text)


def node(tag: str, attributes: dict[str, str], content: str | list[Node]) -> Node:
    source = Source("f.xml", "")
    if isinstance(content, str):
        return Node(tag, attributes, (), content, source, 1, 1)
    children: list[Node] = []
    for child in content:
        if child.tag != TEXT or (child.text and (not children or children[-1].tag != TEXT)):
            children.append(child)
    if [child.tag for child in children] == [TEXT]:
        return Node(tag, attributes, (), children[0].text, source, 1, 1)
    return Node(tag, attributes, tuple(children), "", source, 1, 1)


PIECES = CONTENT.map(lambda text: node(TEXT, {}, text))
TREES = st.recursive(
    st.builds(node, NAMES, st.dictionaries(ATTRIBUTES, TEXTS, max_size=3), CONTENT),
    lambda inner: st.builds(
        node,
        NAMES,
        st.dictionaries(ATTRIBUTES, TEXTS, max_size=2),
        st.lists(inner | PIECES, max_size=4) | st.lists(inner),
    ),
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=120, deadline=None)
def test_any_tree_survives_a_round_trip(tree: Node) -> None:
    root = tree._replace(attributes={**tree.attributes, "xmlns:my": "my"})
    assert same(root, parse("f.xml", write_xml(root).encode()))
    for name, text in (("f.yaml", write_yaml(root, SHAPES)), ("f.json", write_json(root, SHAPES))):
        assert same(root, parse_form(name, text.encode(), SCHEMA)), text


@given(TREES, st.booleans())
@settings(max_examples=100, deadline=None)
def test_locations_of_characters_are_exact(tree: Node, as_json: bool) -> None:
    """Each letter of texts and attributes is found at its location in the file."""
    root = tree._replace(attributes={**tree.attributes, "xmlns:my": "my"})
    text = (write_json if as_json else write_yaml)(root, SHAPES)
    again = parse_form("f.json" if as_json else "f.yaml", text.encode(), SCHEMA)
    for found in again.walk():
        places = [(None, found.text), *found.attributes.items()]
        for attribute, value in places:
            for index, character in enumerate(value):
                if character.isascii() and character.isalnum() and found.tag != TEXT:
                    at = found.character_at(index, attribute)
                    assert text[found.source.offset(at.line, at.column)] == character, (text, attribute, value)
