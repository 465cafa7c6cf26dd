"""Merging one tree over another: order, keys, operators and combined operators."""

from __future__ import annotations

import pytest
from extending import codes, layered, merged

from taskrun.syntax.delta.merge_order import merged_order
from taskrun.syntax.delta.operators import COMBINED, OPERATORS


@pytest.mark.parametrize(
    ("base", "delta", "expected"),
    [
        ("a1 a2 a3 a4 a5", "b1 a2 b3", "a1 b1 a2 b3 a3 a4 a5"),
        ("a1 a2 a3 a4 a5", "a1 b1 a3 b3", "a1 b1 a2 a3 b3 a4 a5"),
        ("a1 a2 a3 a4 a5", "a3 b1 a1", "a3 b1 a4 a5 a1 a2"),
        ("a1 a2 a3 a4 a5", "b1 b2", "a1 a2 a3 a4 a5 b1 b2"),
        ("a1 a2", "a2 a1 b1", "a2 a1 b1"),
        ("", "b1", "b1"),
        ("a1 a2", "", "a1 a2"),
        ("a1 a2", "a2", "a1 a2"),
        ("a1 a2 a3", "a2 b1", "a1 a2 b1 a3"),
    ],
)
def test_order(base: str, delta: str, expected: str) -> None:
    """Merged children have the order of the delta and, as far as possible, that of the base."""
    result = merged_order(base.split(), delta.split())
    # the words of the language: what only the base has, behind what preceded it there
    assert " ".join(result) == expected


def steps(names: str, **attributes: str) -> str:
    """Return a list of steps."""
    written = "".join(f' {name.replace("_", ":")}="{text}"' for name, text in attributes.items())
    return f"<task><steps{written}>" + "".join(f'<step name="{name}"/>' for name in names.split()) + "</steps></task>"


def names_of(text: str) -> str:
    """Return the names of steps in a text."""
    return " ".join(part.partition('"')[0] for part in text.split('name="')[1:])


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("merge", "a x b c"),
        ("replace", "x b"),
        ("merge-replace", "x b"),
        ("bounded-merge", "x b"),
        ("append", "a b c x b"),
        ("prepend", "x b a b c"),
        ("remove", ""),
    ],
)
def test_operators_on_steps(operator: str, expected: str) -> None:
    """Each operator merges a list of steps as documented."""
    assert names_of(merged(steps("a b c"), steps("x b", x_override=operator))) == expected


def test_bounded_merge_merges_the_named_children() -> None:
    """bounded-merge keeps only the children that the delta names, and merges them."""
    base = '<task><steps><step name="a" timeout="5s"/><step name="b"/></steps></task>'
    delta = '<task><steps x:override="bounded-merge"><step name="a" tagSet="x"/></steps></task>'
    assert merged(base, delta) == '<task><steps><step name="a" tagSet="x" timeout="5s"/></steps></task>'


def test_an_empty_bounded_merge_clears() -> None:
    """A bounded-merge without children removes all children."""
    assert merged(steps("a b"), '<task><steps x:override="bounded-merge"/></task>') == "<task><steps/></task>"


ATTRIBUTES = '<task><step a="1" b="2"><source>old</source></step></task>'


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("merge", 'a="1" b="3" c="4"'),
        ("replace", 'b="3" c="4"'),
        ("merge-replace", 'a="1" b="3" c="4"'),
        ("bounded-merge", 'a="1" b="3" c="4"'),
        ("append", 'a="1" b="3" c="4"'),
        ("prepend", 'a="1" b="3" c="4"'),
    ],
)
def test_operators_on_attributes(operator: str, attributes: str) -> None:
    """Attributes of the delta win; only replace drops those of the base."""
    result = merged(ATTRIBUTES, f'<task><step b="3" c="4" x:override="{operator}"/></task>')
    assert result.startswith(f"<task><step {attributes}")


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ("<source>new</source>", "<source>new</source>"),
        ("<source/>", "<source/>"),
        ('<source x:override="merge">new</source>', "<source>new</source>"),
        ('<source x:override="merge"/>', "<source>old</source>"),
        ('<source x:override="replace">new</source>', "<source>new</source>"),
        ('<source x:override="remove"/>', ""),
        ('<source x:override="append">new</source>', "<source><c:script>old</c:script><c:script>new</c:script></source>"),
        ('<source x:override="prepend">new</source>', "<source><c:script>new</c:script><c:script>old</c:script></source>"),
        ('<source x:override="append"/>', "<source><c:script>old</c:script></source>"),
        ('<source x:override="append"><c:log/></source>', "<source><c:script>old</c:script><c:log/></source>"),
        ('<source x:override="merge-super"><a/><x:super/><b/></source>', "<source><a/><c:script>old</c:script><b/></source>"),
        (
            '<source x:override="merge-super"><c:if><x:super/></c:if></source>',
            "<source><c:if><c:script>old</c:script></c:if></source>",
        ),
    ],
)  # fmt: skip
def test_operators_on_scripts(delta: str, expected: str) -> None:
    """The script of the delta replaces that of the base unless the operator combines them."""
    base = "<task><step><source>old</source></step></task>"
    result = merged(base, f"<task><step>{delta}</step></task>")
    assert result == f"<task><step>{expected}</step></task>".replace("<step></step>", "<step/>")


@pytest.mark.parametrize(
    ("base", "delta", "expected"),
    [
        ('<source x:override="prepend">1</source>', '<source x:override="append">2</source>', "1 old 2"),
        ('<source x:override="append">1</source>', '<source x:override="prepend">2</source>', "2 old 1"),
        ('<source x:override="append">1</source>', '<source x:override="append">2</source>', "old 1 2"),
        ('<source x:override="prepend">1</source>', '<source x:override="prepend">2</source>', "2 1 old"),
        (
            '<source x:override="merge-super"><c:script>1</c:script><x:super/></source>',
            '<source x:override="append">2</source>',
            "1 old 2",
        ),
        (
            '<source x:override="append">1</source>',
            '<source x:override="merge-super"><c:script>2</c:script><x:super/></source>',
            "2 old 1",
        ),
        ('<source x:override="append">1</source>', "<source>2</source>", "2"),
        ('<source x:override="remove"/>', "<source>2</source>", "2"),
        ("<source>1</source>", '<source x:override="append">2</source>', "1 2"),
    ],
)
def test_two_deltas_before_their_base(base: str, delta: str, expected: str) -> None:
    """Merging is associative: the deltas may be merged with each other first."""
    root, first, second = (f"<task><step>{text}</step></task>" for text in ("<source>old</source>", base, delta))
    together, problems = layered(first, second, clean=False)
    assert not problems
    for result in (merged(root, first, second), merged(root, together)):
        words = result.replace("c:script", "").replace("source", "").replace("task", "").replace("step", "")
        assert " ".join(words.replace("<", " ").replace(">", " ").replace("/", " ").split()) == expected


@pytest.mark.parametrize("below", OPERATORS)
@pytest.mark.parametrize("above", OPERATORS)
def test_every_pair_of_operators(below: str, above: str) -> None:
    """Each pair of operators has the documented combined operator or is an error."""
    hole = "<x:super/>"
    base = f'<task><step><source x:override="{below}">{hole if below == "merge-super" else ""}</source></step></task>'
    delta = f'<task><step><source x:override="{above}">{hole if above == "merge-super" else ""}</source></step></task>'
    text, problems = layered(base, delta, clean=False)
    expected = COMBINED.get((below, above))
    assert [item.code for item in problems] == ([] if expected else ["conflicting-operators"])
    if expected and expected != "merge-replace":
        assert f'x:override="{expected}"' in text


def test_pairs_that_are_not_allowed() -> None:
    """Ten of the sixty-four pairs of operators are errors."""
    assert {(below, above) for below in OPERATORS for above in OPERATORS if (below, above) not in COMBINED} == {
        ("append", "merge"), ("append", "bounded-merge"), ("prepend", "merge"), ("prepend", "bounded-merge"),
        ("merge", "merge-super"), ("merge-super", "merge"), ("merge-super", "bounded-merge"), ("bounded-merge", "merge-super"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("base", "delta", "expected"),
    [
        # steps: by name, whatever the tag; the delta's tag counts
        (
            '<steps><step name="a" timeout="1s"/></steps>',
            '<steps><sequential name="a"/></steps>',
            '<steps><sequential name="a" timeout="1s"/></steps>',
        ),
        # by tag and name
        ('<input name="a" type="int"/><output name="a"/>', '<input name="a" optional="true"/>',
         '<input name="a" optional="true" type="int"/><output name="a"/>'),
        ('<import as="A" class="x"/>', '<import as="A" class="y"/>', '<import as="A" class="y"/>'),
        ('<choose><case match="1" to="a"/><case match="2" to="b"/></choose>', '<choose><case match="2" to="c"/></choose>',
         '<choose><case match="1" to="a"/><case match="2" to="c"/></choose>'),
        # by tag alone
        ('<retry maxRetryCount="1" retryDelay="5"/>', '<retry maxRetryCount="2"/>', '<retry maxRetryCount="2" retryDelay="5"/>'),
        # unknown elements: x:unique-attr, x:id, id, name, or the tag
        ('<f:x id="1" a="1"/><f:x id="2"/>', '<f:x id="2" b="2"/>', '<f:x a="1" id="1"/><f:x b="2" id="2"/>'),
        ('<f:l x:key-attr="k"><f:a k="1" p="1"/></f:l>', '<f:l><f:b k="1" q="1"/></f:l>', '<f:l><f:b k="1" p="1" q="1"/></f:l>'),
        # an input written short meets one written in full
        ('<step in:x="1"/>', '<step><in:x type="int">2</in:x></step>',
         '<step><input name="x" type="int"><source>2</source></input></step>'),
    ],
)  # fmt: skip
def test_keys(base: str, delta: str, expected: str) -> None:
    """Elements are merged by their documented keys."""
    head = '<task xmlns:f="f">'
    result = merged(f"{head}{base}</task>", f"{head}{delta}</task>")
    assert result == f'<task xmlns:f="f">{expected}</task>'


def test_text_over_elements_and_elements_over_text() -> None:
    """Text of a delta replaces elements of the base, and elements replace text."""
    assert merged("<t><a><b/></a></t>", "<t><a>new</a></t>") == "<t><a>new</a></t>"
    assert merged("<t><a>old</a></t>", "<t><a><b/></a></t>") == "<t><a><b/></a></t>"
    assert merged("<t><a>old</a></t>", "<t><a/></t>") == "<t><a>old</a></t>"
    assert merged("<t><description>old</description></t>", "<t><description/></t>") == "<t><description/></t>"


def test_attributes_set_to_nothing_are_dropped() -> None:
    """An empty attribute of a delta removes the attribute; in a first file, or with replace, it is a value."""
    assert merged('<t><a x="1" y=""/></t>', '<t><a x=""/></t>') == '<t><a y=""/></t>'
    assert merged('<t><a x="1"/></t>', '<t><a x="" x:override="replace"/></t>') == '<t><a x=""/></t>'
    assert merged('<t><a x="1"/></t>', '<t><a z=""/></t>') == '<t><a x="1"/></t>'


def test_merge_attributes_are_dropped() -> None:
    """Attributes that control merging are dropped, except for those that tools read."""
    base = (
        '<task x:schema="task.xdef"><steps><step name="a" x:id="1" x:final="false" x:key-attr="name"/></steps></task>'
    )
    assert merged(base, "<task/>") == '<task x:schema="task.xdef"><steps><step name="a" x:id="1"/></steps></task>'


def test_abstract_virtual_inherit() -> None:
    """Abstract and virtual elements are dropped unless a delta names them; x:inherit needs a base."""
    base = (
        '<t><steps><step name="a" x:abstract="true"/><step name="b" x:abstract="true" k="1"/><step name="c" x:virtual="true"/>'
        '<step name="d"/><step name="v" x:virtual="true"/></steps></t>'
    )
    delta = (
        '<t><steps><step name="b"/><step name="d" x:inherit="true"/><step name="e" x:virtual="true"/><step name="c"/>'
        '<step name="v" x:virtual="true"/></steps></t>'
    )
    assert names_of(merged(base, delta)) == "b d c"
    _, problems = layered("<t><steps/></t>", '<t><steps>\n<step name="x" x:inherit="true"/></steps></t>')
    assert codes(problems) == [("no-base", "delta1.task.xml", 2, 16)]
    _, problems = layered(steps("a"), '<task><steps><step name="a" x:override="remove"/></steps></task>',
                          '<task><steps><step name="a" x:inherit="true"/></steps></task>')  # fmt: skip
    assert codes(problems) == [("no-base", "delta2.task.xml", 1, 29)]


def test_a_removed_element_can_come_back() -> None:
    """A removed element that a later delta adds again has nothing of the base."""
    base = '<t><steps><step name="a" k="1"/><step name="b"/></steps></t>'
    gone = '<t><steps><step name="a" x:override="remove" k="2"/></steps></t>'
    back = '<t><steps><step name="a" z="3"/></steps></t>'
    assert merged(base, gone) == '<t><steps><step name="b"/></steps></t>'
    assert merged(base, gone, back) == '<t><steps><step name="a" z="3"/><step name="b"/></steps></t>'


def test_final() -> None:
    """A delta may name a final element, but not change it."""
    base = '<t><steps><step name="a" x:final="true"/><step name="b"/></steps></t>'
    assert names_of(merged(base, steps("a n"))) == "a n b"
    for change in ('k="1"', 'x:override="remove"'):
        _, problems = layered(base, f'<t><steps>\n<step name="a" {change}/></steps></t>')
        assert codes(problems) == [("final", "delta1.task.xml", 2, 1)]
        assert "base.task.xml:1:11" in problems[0].message


@pytest.mark.parametrize(
    ("base", "delta", "expected"),
    [
        (steps("a a"), steps("a"), ("ambiguous-key", "delta1.task.xml", 1, 20)),
        (steps("a"), steps("a a"), ("ambiguous-key", "delta1.task.xml", 1, 36)),
        ("<t><retry/></t>", "<t><retry/><retry/></t>", ("ambiguous-key", "delta1.task.xml", 1, 12)),
        (steps("a"), "<task><steps><step/></steps></task>", ("missing-key", "delta1.task.xml", 1, 14)),
        (steps("a"), '<task><steps x:override="mrege"/></task>', ("unknown-operator", "delta1.task.xml", 1, 14)),
        ("<t><source>1</source></t>", '<t><source x:override="merge-super"><a/></source></t>', ("super", "delta1.task.xml", 1, 4)),
        (
            "<t><source>1</source></t>",
            '<t><source x:override="merge-super"><x:super/><x:super/></source></t>',
            ("super", "delta1.task.xml", 1, 47),
        ),
        (
            "<t><source>1</source></t>",
            '<t><source x:override="merge-super"><x:super>2</x:super></source></t>',
            ("super", "delta1.task.xml", 1, 37),
        ),
        (steps("a"), '<task><steps x:override="merge-super"><x:super/></steps></task>', ("conflicting-operators", "delta1.task.xml", 1, 14)),
    ],
)  # fmt: skip
def test_conflicts(base: str, delta: str, expected: tuple[str, str, int, int]) -> None:
    """A conflict is reported at its location in the delta."""
    _, problems = layered(base, delta)
    assert codes(problems) == [expected]


@pytest.mark.parametrize(
    ("attributes", "code", "hint"),
    [
        ('x:override="mrege"', "unknown-operator", "did you mean 'merge'"),
        ('x:before="b"', "unknown-attribute", "the delta sets the order"),
        ('x:default-override="merge"', "unknown-attribute", "write x:override"),
        ('x:abstrakt="true"', "unknown-attribute", "x:abstract"),
        ('x:final="yes"', "bad-value", ""),
    ],
)
def test_unknown_merge_attributes(attributes: str, code: str, hint: str) -> None:
    """Unknown attributes and operators are reported even if nothing was merged."""
    _, problems = layered(f'<t><steps><step name="a" {attributes}/></steps></t>')
    assert codes(problems) == [(code, "base.task.xml", 1, 26)]
    assert hint in problems[0].hint
