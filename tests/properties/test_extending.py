"""Properties of merging trees."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from extending import opaque, shown, tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskrun import TaskManager
from taskrun.cli.diff import delta_text
from taskrun.cli.expand import to_kernel_language
from taskrun.syntax.delta.difference import Differ
from taskrun.syntax.delta.merge import Merger
from taskrun.syntax.delta.prototypes import Cleaner
from taskrun.syntax.load import parse
from taskrun.syntax.node import TEXT, Node, same
from taskrun.syntax.xml_write import write_xml

EXAMPLE = tree("<task/>")
NAMES = st.sampled_from("abcdefg")
TEXTS = st.text(st.sampled_from("ab <>&\"'\n\r\t]é"), max_size=8).map(lambda text: "" if text.isspace() else text)
VALUES = st.text(st.sampled_from("ab <>&\"'\n\r\té"), min_size=1, max_size=4)


def element(tag: str, attributes: dict[str, str] | None = None, *children: Node, text: str = "") -> Node:
    """Return an element at an arbitrary location."""
    return EXAMPLE._replace(tag=tag, attributes=attributes or {}, children=children, text=text)


ATTRIBUTES = st.dictionaries(st.sampled_from(["timeout", "tagSet", "displayName"]), VALUES, max_size=3)


@st.composite
def steps(draw: st.DrawFn, depth: int = 2, body: Callable[..., st.SearchStrategy[str]] | None = None) -> Node:
    """Return the strategy of steps and containers without a name."""
    children = []
    if draw(st.booleans()):
        children.append(element("source", None, text=draw(TEXTS)))
    if draw(st.booleans()):
        children.append(element("when", None, text=draw(TEXTS)))
    if draw(st.booleans()):
        children.append(element("retry", draw(ATTRIBUTES)))
    children += [
        element("input", {"name": name, **draw(ATTRIBUTES)}, element("source", None, text=draw(TEXTS)))
        for name in draw(st.lists(NAMES, unique=True, max_size=2))
    ]
    if depth and draw(st.booleans()):
        children.append(draw(lists(depth - 1)))
    return element(draw(st.sampled_from(["step", "sequential"])), draw(ATTRIBUTES), *children)


@st.composite
def lists(draw: st.DrawFn, depth: int = 2) -> Node:
    """Return the strategy of lists of named steps."""
    made = []
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        step = draw(steps(depth))
        made.append(step._replace(attributes={"name": name, **step.attributes}))
    return element("steps", None, *made)


TASKS = st.builds(lambda attributes, inner: element("task", attributes, inner), ATTRIBUTES, lists())


def over(base: Node, *deltas: Node) -> Node:
    """Return the base with the deltas merged over it, cleaned."""
    merger = Merger(opaque())
    for delta in deltas:
        base = merger.merge(base, delta)
    result = Cleaner(merger).clean(base)
    assert not merger.problems, merger.problems
    return result


def combined(*deltas: Node) -> Node:
    """Return the deltas merged into one."""
    merger = Merger(opaque())
    result = deltas[0]
    for delta in deltas[1:]:
        result = merger.merge(result, delta)
    assert not merger.problems, merger.problems
    return result


def unordered(node: Node) -> tuple[object, ...]:
    """Return a tree as a value in which the order of siblings does not count."""
    attributes = tuple(sorted(node.attributes.items()))
    return (node.tag, attributes, node.text, tuple(sorted(map(unordered, node.children), key=repr)))


@given(TASKS)
@settings(max_examples=40)
def test_an_empty_delta_changes_nothing(task: Node) -> None:
    """Neither an empty delta nor one that only names existing elements changes the base."""
    assert same(over(task, element("task")), task)
    named = [element(step.tag, {"name": step.attributes["name"]}) for step in task.children[0].children]
    assert same(over(task, element("task", None, element("steps", None, *named))), task)


@given(TASKS, TASKS, TASKS)
@settings(max_examples=40)
def test_merging_deltas_is_associative(base: Node, first: Node, second: Node) -> None:
    """Deltas merged one by one, and their combination, result in the same elements.

    Not always in the same order: the order of two layers over a base, and of one layer that is both, are worked out by
    the same rule from different neighbours, so an element that only one of them names may stand elsewhere: over ``a b``, a
    delta ``b`` and then a delta ``a`` change nothing, and the delta that is both names ``b a``.
    """
    assert unordered(over(base, first, second)) == unordered(over(base, combined(first, second)))


@given(st.data())
@settings(max_examples=40)
def test_merging_ordered_deltas_keeps_the_order(data: st.DataObject) -> None:
    """Deltas whose elements are in the order of the base keep that order, if one delta names all elements of the other."""
    base = data.draw(TASKS)
    known = [step.attributes["name"] for step in base.children[0].children]
    more = [name for name in known if data.draw(st.booleans())]
    fewer = [name for name in more if data.draw(st.booleans())]
    deltas = []
    for chosen in data.draw(st.permutations([more, fewer])):
        made = [element("step", {"name": name, **data.draw(ATTRIBUTES)}) for name in chosen]
        deltas.append(element("task", None, element("steps", None, *made)))
    assert shown(over(base, *deltas)) == shown(over(base, combined(*deltas)))


@given(TASKS, TASKS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_the_difference_merged_over_the_base_is_the_target(base: Node, wanted: Node) -> None:
    """Merged over the first tree, the delta results in the second; equal trees have no delta."""
    differ = Differ(opaque())
    delta = differ.difference(base, wanted)
    assert (delta is None) == same(base, wanted)
    if delta is not None:
        assert shown(over(base, delta)) == shown(wanted)
        again = parse("delta", write_xml(delta).encode())
        assert shown(over(base, again)) == shown(wanted)


MIXED = st.recursive(
    st.builds(lambda attributes, text: element("b", attributes, text=text), ATTRIBUTES, TEXTS),
    lambda inner: st.builds(
        lambda children: element("a", None, *children),
        st.lists(
            st.one_of(inner, TEXTS.filter(bool).map(lambda text: element(TEXT, None, text=text))),
            min_size=1,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


def joined(node: Node) -> Node:
    """Return the tree with adjacent texts joined, as a parser returns them."""
    children: list[Node] = []
    for child in map(joined, node.children):
        if child.tag == TEXT and children and children[-1].tag == TEXT:
            children[-1] = children[-1]._replace(text=children[-1].text + child.text)
        else:
            children.append(child)
    if len(children) == 1 and children[0].tag == TEXT:
        return node._replace(children=(), text=children[0].text)
    return node._replace(children=tuple(children))


@given(MIXED)
def test_written_xml_is_parsed_as_the_same_tree(root: Node) -> None:
    """Every character of texts and attributes is preserved."""
    root = joined(root)
    again = parse("again", write_xml(root).encode())
    assert shown(again) == shown(root)
    assert same(again, root)


@settings(max_examples=10, deadline=None)
@given(TASKS, TASKS)
def test_expand_and_diff_of_files(base: Node, own: Node) -> None:
    """An expanded flow expands to itself, and a delta file merged over its base is the target."""
    manager = TaskManager()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        extending = own._replace(attributes={**own.attributes, "x:extends": "base.task.xml"})
        for file, root in (("base", base), ("own", extending), ("other", own)):
            (folder / f"{file}.task.xml").write_text(write_xml(root), "utf-8", newline="")
        once = write_xml(to_kernel_language(manager.flows.expand(folder / "own.task.xml")))
        (folder / "once.task.xml").write_text(once, "utf-8", newline="")
        assert write_xml(to_kernel_language(manager.flows.expand(folder / "once.task.xml"))) == once
        paths = [str(folder / f"{file}.task.xml") for file in ("own", "other", "delta")]
        Path(paths[2]).write_text(delta_text(manager, *paths), "utf-8", newline="")
        assert shown(manager.flows.expand(paths[2])) == shown(manager.flows.expand(paths[1]))
