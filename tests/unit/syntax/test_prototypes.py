"""Prototypes: elements that are merged over a copy of a sibling."""

from __future__ import annotations

import pytest
from extending import codes, layered, merged


def steps(body: str) -> str:
    """Return a task with these steps."""
    return f"<t><steps>{body}</steps></t>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            '<step name="p" timeout="5s"><source>1</source></step><step name="a" x:prototype="p" tagSet="x"/>',
            '<step name="p" timeout="5s"><source>1</source></step><step name="a" tagSet="x" timeout="5s"><source>1</source></step>',
        ),
        ('<step name="a" x:prototype="p"/><step name="p" x:abstract="true" k="1"/>', '<step k="1" name="a"/>'),
        (
            '<step name="p" x:abstract="true" x:prototype="q" k="1"/><step name="q" x:abstract="true" k="2" m="3"/><step name="a" x:prototype="p"/>',
            '<step k="1" m="3" name="a"/>',
        ),
        (
            '<step name="p" x:abstract="true" k="1"><source>1</source></step><step name="a" x:prototype="p" x:prototype-override="replace"/>',
            '<step name="a"/>',
        ),
        (
            '<step name="p" x:abstract="true"><source>1</source></step><step name="a" x:prototype="p"><source x:override="merge-super"><x:prototype-super/><c:script>2</c:script></source></step>',
            '<step name="a"><source><c:script>1</c:script><c:script>2</c:script></source></step>',
        ),
        ('<step name="p" k="1"/><sequential name="a" x:prototype="p" k=""/>', '<step k="1" name="p"/><sequential name="a"/>'),
        ('<step name="p" x:final="true" k="1"/><step name="a" x:prototype="p" k="2"/>', '<step k="1" name="p"/><step k="2" name="a"/>'),
    ],
)  # fmt: skip
def test_prototypes(body: str, expected: str) -> None:
    """An element has the attributes and children of its prototype, and its own win."""
    assert merged(steps(body)) == steps(expected)


def test_a_delta_changes_an_element_with_a_prototype() -> None:
    """A delta is merged over the element before its prototype is applied."""
    base = steps('<step name="p" x:abstract="true" k="1" m="1"/><step name="a" x:prototype="p"/>')
    delta = steps('<step name="a" m="2"/>')
    assert merged(base, delta) == steps('<step k="1" m="2" name="a"/>')


def test_a_delta_changes_the_prototype() -> None:
    """Prototypes are applied after all files are merged; an abstract one that a delta names remains a step."""
    base = steps('<step name="p" k="1"/><step name="a" x:prototype="p"/>')
    assert merged(base, steps('<step name="p" k="2"/>')) == steps('<step k="2" name="p"/><step k="2" name="a"/>')


def test_prototypes_of_other_elements() -> None:
    """Prototypes are found by the key of the elements."""
    base = '<t><input name="a" type="int"/><input name="b" x:prototype="a"/></t>'
    assert merged(base) == '<t><input name="a" type="int"/><input name="b" type="int"/></t>'


@pytest.mark.parametrize(
    ("body", "code", "column", "message"),
    [
        ('<step name="pay"/><step name="a" x:prototype="pya"/>', "no-prototype", 44, "did you mean 'pay'"),
        ('<step name="a" x:prototype="a"/>', "prototype-cycle", 26, "leads back to this element"),
        (
            '<step name="a" x:prototype="b"/><step name="b" x:prototype="a"/>',
            "prototype-cycle",
            58,
            "leads back to this element",
        ),
    ],
)
def test_wrong_prototypes(body: str, code: str, column: int, message: str) -> None:
    """A missing prototype and a cycle of prototypes are reported."""
    _, problems = layered(steps(body))
    assert codes(problems)[0] == (code, "base.task.xml", 1, column)
    assert message in f"{problems[0].message} {problems[0].hint}"


def test_a_removed_prototype_is_missing() -> None:
    """An element that a delta removed cannot be a prototype."""
    base = steps('<step name="p"/><step name="a" x:prototype="p"/>')
    _, problems = layered(base, steps('<step name="p" x:override="remove"/>'))
    assert codes(problems) == [("no-prototype", "base.task.xml", 1, 42)]
