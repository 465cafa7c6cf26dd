"""Rendering of templates: undefined variables and access out of the sandbox are errors."""

from __future__ import annotations

import pytest

from taskrun.tags.text import TextError, render


def test_templates_are_filled_in() -> None:
    """Nothing is escaped, and the newline at the end is kept."""
    assert render("{% for n in names %}<{{ n }}>{% endfor %}\n", {"names": ["ä", "&"]}) == "<ä><&>\n"
    assert render("") == ""
    assert render("{{ x|default('none') }}", {}) == "none"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a\n{% if %}", "template, line 2"),
        ("{{ naem }}", "'naem' is undefined; did you mean 'name'"),
        ("{{ zzz }}", r"'zzz' is undefined; give it in values"),
        ("{{ name.first }}", "has no attribute 'first'"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ items.append(1) }}", "SecurityError"),
        ("{{ name.__class__.__mro__ }}", "unsafe"),
        ("{% include 'x' %}", "no loader"),
        ("{{ range(10 ** 9) }}", "OverflowError"),
    ],
)
def test_wrong_templates(template: str, message: str) -> None:
    """The message names the problem and the remedy."""
    values = {"name": "x", "items": [1]}
    with pytest.raises(TextError, match=message):
        render(template, values)
    assert values == {"name": "x", "items": [1]}
