"""Namespace of scripts: documentation with correct examples, timeouts of patterns, added functions."""

from __future__ import annotations

import ast
import re
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import regex

from taskrun import Limits, TaskManager
from taskrun.errors import PluginError
from taskrun.script import settings as script_settings
from taskrun.script.builtins import NAMES
from taskrun.script.sandbox import safe_regex as patterns

PAGE = Path(__file__).parents[3] / "docs" / "script-names.md"
ROWS = re.findall(r"^\| `(\w+)` \| .* \| `(.*)` \| `(.*)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
SCRIPT = '<task><steps><step name="a"><source><![CDATA[{}]]></source></step></steps></task>'


@pytest.mark.parametrize(("name", "example", "value"), ROWS, ids=[row[0] for row in ROWS])
def test_an_example_of_the_page(run: Any, name: str, example: str, value: str) -> None:
    assert name in example
    assert run(example) == ast.literal_eval(value)


def test_the_page_has_every_name_and_no_other() -> None:
    text = PAGE.read_text("utf-8")
    exceptions = set(re.findall(r"`(\w+)`", text[text.index("The exceptions") :]))
    assert {row[0] for row in ROWS} | exceptions == set(NAMES)


def test_patterns(run: Any) -> None:
    assert run("m = re.search('(?P<n>[0-9]+)(x)?', 'ab12'); [m.group(), m.group('n'), m[1], m.groups(''), m.span(), repr(m)]") == [
        "12", "12", "12", ("12", ""), (2, 4), "Match('12', 2, 4)",
    ]  # fmt: skip
    assert run("[m.group() for m in re.finditer('a.', 'abac')] + re.split(',', 'a,b') + re.findall('A', 'aA', re.I)") == [
        "ab", "ac", "a", "b", "a", "A",
    ]  # fmt: skip
    assert run(
        "re.sub('a(.)', lambda m: m.group(1) * 2, 'abac') + re.sub('(a)', r'<\\1>', 'a') + re.escape('a.b')"
    ) == ("bbcc<a>a\\.b")
    assert run("re.match('(?P<k>a)', 'b') is None and re.fullmatch('(?P<k>a)', 'a').groupdict()") == {"k": "a"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("re.match('(', 'a')", ValueError),
        ("re.match('a' * 5000, 'a')", ValueError),
        ("re.match(1, 'a')", TypeError),
        ("re.compile('a')", AttributeError),
        ("re.match('a', 'a').expand('x')", AttributeError),
        ("re.match('a', 'a').string", AttributeError),
    ],
)
def test_wrong_patterns(run: Any, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(text)


def test_a_pattern_that_takes_too_long(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    for call in ("match('(a|aa)+$', text)", "finditer('(a|aa)+$', text)", "sub('(a|aa)+$', '', text)"):
        with pytest.raises(TimeoutError, match=r"0\.05 s"):
            run(f"re.{call.replace('text', 'subject')}", subject="a" * 60 + "b")


def test_the_flags_are_those_of_regex() -> None:
    known = patterns.regex_members()
    assert {name: known[name] for name in "IMSXA"} == {name: int(getattr(regex, name)) for name in "IMSXA"}


@pytest.mark.parametrize("name", ["", "a b", "_x", "class", 1])
def test_names_of_functions_must_be_valid(name: Any) -> None:
    with pytest.raises(PluginError, match="not a name that a script can write"):
        TaskManager(functions={name: len})


def test_modules_are_refused_as_functions() -> None:
    with pytest.raises(PluginError, match="'re' is a module"):
        TaskManager(functions={"re": re})


def test_functions_of_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.task.xml"
    path.write_text(SCRIPT.format("return shout('a')"))
    entry = EntryPoint("shout", "shop.texts:shout", script_settings.GROUP)
    monkeypatch.setattr(
        script_settings, "entry_points", lambda group: [entry] if group == script_settings.GROUP else []
    )
    with pytest.raises(PluginError, match=r"'shout' of .* cannot be loaded"):
        TaskManager().run(path)
    monkeypatch.setattr(EntryPoint, "load", lambda _entry: str.upper)
    assert TaskManager().run(path).result == "A"
    assert TaskManager(functions={"shout": len}).run(path).result == 1


def test_settings_of_the_manager(tmp_path: Path) -> None:
    path = tmp_path / "f.task.xml"
    path.write_text(SCRIPT.format("while True: pass"))
    with pytest.raises(Exception, match=r"longer than 0\.05 s"):
        TaskManager(limits=Limits(seconds=0.05)).run(path)
    with pytest.raises(ValueError, match="did you mean 'asteval'"):
        TaskManager(evaluator="astevil")
    path.write_text(SCRIPT.format("return 1 + 1"))
    assert TaskManager(evaluator="asteval").run(path).result == 2


def test_an_import_of_xscript_follows_the_allow_list(tmp_path: Path) -> None:
    path = tmp_path / "f.task.xml"
    path.write_text(
        SCRIPT.replace("<task>", '<task scriptLang="xscript">').format(
            "import fractions.Fraction; new Fraction(1, 2) + new Fraction(1, 2) == 1"
        )
    )
    assert TaskManager(allow=["fractions"]).run(path).result is True
    with pytest.raises(Exception, match="not allowed"):
        TaskManager().run(path)


def test_script_modules_replace_modules(run: Any) -> None:
    assert run("[repr(math), repr(re)]") == ["<math>", "<re>"]
    with pytest.raises(AttributeError, match="did you mean 'sqrt'"):
        run("math.sqr(1)")


def test_an_entry_point_without_a_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = SimpleNamespace(name="bad name", dist=None, load=lambda: len)
    monkeypatch.setattr(script_settings, "entry_points", lambda group: [entry])
    with pytest.raises(PluginError, match=r"entry point taskrun\.functions of"):
        script_settings.installed_functions()
