"""Languages of <script>: those of packages and of a TaskManager, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from small_flows import Bench, found, task

from taskrun import Completion, Frame
from taskrun.core import script_language as module
from taskrun.core.script_language import Code, languages
from taskrun.errors import BindError, PluginError


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(Code):
    """Gives its text back, and how long it is."""

    async def run(self, _frame: Frame) -> Completion:
        """Return the text."""
        return Completion({"RESULT": self.text.strip(), "size": len(self.text)})


class EchoLanguage:
    """Any text is right but ``no``."""

    def compile(self, source: Any, step: Any, _settings: Any) -> Echo:
        """Return the text."""
        if source.text == "no":
            raise BindError([step.problem("script-syntax", "not that", at=source.character_at(0))])
        return Echo(text=source.text, node=source)


FLOW = task('<script name="a" lang="echo"><source> hi </source><output name="size"/><output name="RESULT"/></script>')


@pytest.mark.parametrize("language", [EchoLanguage, EchoLanguage()], ids=["class", "object"])
def test_a_language_of_a_manager(bench: Bench, language: Any) -> None:
    assert bench.run(FLOW, languages={"echo": language}).result == "hi"


def test_a_language_of_a_package(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("echo", f"{__name__}:EchoLanguage", "taskrun.languages")
    monkeypatch.setattr(module, "entry_points", lambda *, group: [entry] if group == "taskrun.languages" else [])
    assert bench.run(FLOW).result == "hi"


def test_its_problems_are_those_of_the_file(bench: Bench) -> None:
    text = task('<script name="a" lang="echo">\n<source>no</source></script>')
    assert found(bench.problems(text, languages={"echo": EchoLanguage()})) == [("script-syntax", 4, 9)]


def test_words_that_are_not_its_own(bench: Bench) -> None:
    text = task('<script name="a" lang="echo" shell="sh"><source>x</source></script>')
    assert [item.code for item in bench.problems(text, languages={"echo": EchoLanguage()})] == ["no-meaning"]


def test_an_unknown_language(bench: Bench) -> None:
    near, far = (
        bench.problems(task(f'<script name="a" lang="{lang}"><source>x</source></script>'))[0]
        for lang in ("shel", "sql")
    )
    assert (near.code, near.hint) == ("unsupported-language", "did you mean 'shell'?")
    assert far.hint == "known are jinja2, python, shell, xscript"


def test_tags_in_the_text(bench: Bench) -> None:
    text = task('<script name="a" lang="jinja2"><source>a <b/> c</source></script>')
    assert [item.code for item in bench.problems(text)] == ["unknown-element"]


def test_two_owners() -> None:
    with pytest.raises(PluginError, match=r"'shell' has two owners: taskrun itself and TaskManager\(languages=…\)"):
        languages({"shell": EchoLanguage()})


def test_no_language() -> None:
    with pytest.raises(PluginError, match="the language 'x' has no method compile"):
        languages({"x": object()})  # type: ignore[dict-item]


def test_a_package_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("x", "no_such_module:X", "taskrun.languages")
    monkeypatch.setattr(module, "entry_points", lambda *, group: [entry] * bool(group))
    with pytest.raises(PluginError, match=r"the language 'x' \(no_such_module:X\) cannot be loaded"):
        languages({})


def test_what_code_says_of_itself_unless_it_says_more() -> None:
    code = Echo(text="", node=None)  # type: ignore[arg-type]
    assert (code.function, code.may_suspend, list(code.analyze(None))) == (None, True, [])  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "suspends"), [("return 1", False), ("return await inject('x')()", True)])
def test_scripts_of_this_engine(bench: Bench, text: str, suspends: bool) -> None:
    """They are what they are in a <step>."""
    step = next(bench.load(task(f'<script name="a" lang="python"><source>{text}</source></script>')).model.children())
    assert step.traits.awaits(step) is suspends
    assert step.source.function is not None
