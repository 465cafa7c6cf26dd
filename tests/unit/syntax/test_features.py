"""Switches: elements are removed by the configuration."""

from __future__ import annotations

from typing import Any

import pytest
from extending import codes, shown, tree

from taskrun.syntax.delta.features import Features, is_on

CONFIG = {"a": True, "b": "false", "level": 3, "name": "Acme", "zero": 0, "x.y-z": "on", "none": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", True), ("b", False), ("c", False), ("zero", False), ("level", True), ("x.y-z", True), ("none", False),
        ("not a", False), ("!a", False), ("!b", True), ("not not a", True),
        ("a and b", False), ("a or b", True), ("b or a and c", False), ("(b or a) and !c", True), ("a && !b || c", True),
        ("level = 3", True), ("level == 3.0", True), ("level &gt;= 4".replace("&gt;", ">"), False), ("level < 4", True), ("level <= 2", False),
        ("level != 3", False), ("level > 10", False), ("name = 'acme'", True), ('name = "Other"', False), ("name=Acme", True),
        ("c = 1", False), ("c != 1", True), ("c < 1", False), ("a = true", True), ("not level > 2", False),
    ],
)  # fmt: skip
def test_expressions(text: str, expected: bool) -> None:
    """Names, and, or, not, brackets and comparisons with a literal have their usual meaning."""
    assert is_on(text, CONFIG) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a configuration name is missing"),
        ("a and", "a configuration name is missing"),
        ("a b", "'b' is not expected"),
        ("(a", "')' is missing"),
        ("a)", "')' is not expected"),
        ("'a'", "not a configuration name"),
        ("= 1", "not a configuration name"),
        ("a =", "a value is missing"),
        ("a + b", "'+ b' is not understood"),
        ("and", "not a configuration name"),
        ("a = (", "'(' is not a value"),
    ],
)
def test_wrong_expressions(text: str, message: str) -> None:
    """The message of a wrong expression names the missing or unexpected part."""
    with pytest.raises(ValueError, match=r".") as caught:
        is_on(text, CONFIG)
    assert message in str(caught.value)


def applied(text: str, **config: Any) -> str:
    """Return a tree after its switches were applied."""
    features = Features(config)
    result = shown(features.apply(tree(text)))
    assert not features.problems
    return result


def test_switches() -> None:
    """An element remains if feature:on is true and feature:off is false."""
    text = '<t><a feature:on="x"/><b feature:off="x"><c feature:on="!x"/></b><d feature:on="x" feature:off="y"/></t>'
    assert applied(text, x=True) == "<t><a/><d/></t>"
    assert applied(text, x=True, y=True) == "<t><a/></t>"
    assert applied(text) == "<t><b><c/></b></t>"


def test_divisions() -> None:
    """Children of x:div take its place, also if it is nested."""
    text = '<t><x:div feature:on="x"><a/><x:div><b/></x:div></x:div><x:div><c/></x:div></t>'
    assert applied(text, x=True) == "<t><a/><b/><c/></t>"
    assert applied(text) == "<t><c/></t>"


def test_configured_values() -> None:
    """With feature:enable-meta-cfg on the root, attributes are replaced by configured values."""
    text = '<t feature:enable-meta-cfg="true" v="@meta-cfg:k|1"><a w="@meta-cfg:on|x" n="@meta-cfg:e|"/></t>'
    assert applied(text) == '<t v="1"><a n="" w="x"/></t>'
    assert applied(text, k=2, on=True, e="f") == '<t v="2"><a n="f" w="true"/></t>'
    assert applied('<t v="@meta-cfg:k|1"/>', k=2) == '<t v="@meta-cfg:k|1"/>'


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ('<t><a feature:on="x +"/></t>', "bad-value", 7),
        ('<t><a feature:onn="x"/></t>', "unknown-attribute", 7),
        ('<t><a feature:enable-meta-cfg="true"/></t>', "unknown-attribute", 7),
        ('<t feature:on="x"/>', "no-meaning", 4),
        ('<t feature:enable-meta-cfg="yes"/>', "bad-value", 4),
        ('<t feature:enable-meta-cfg="true" v="@meta-cfg:k"/>', "no-configuration", 35),
        ("<t><feature:x/></t>", "unknown-element", 4),
        ('<t><x:div name="a"><a/></x:div></t>', "unknown-attribute", 11),
        ("<t><x:div>text</x:div></t>", "unexpected-text", 4),
    ],
)
def test_wrong_switches(text: str, code: str, column: int) -> None:
    """Wrong switches are reported at their location."""
    features = Features({})
    features.apply(tree(text))
    assert codes(features.problems) == [(code, "flow.task.xml", 1, column)]
