"""Test x:config, the sections that run at load time, and the lookup of tags."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
from templates import Templates, locations_of, messages_of

from taskrun.templates import tag_lookup


def flow(section: str, step: str = "<source>1</source>") -> str:
    """Return a task with a section in line 2."""
    return f'<task>\n{section}<steps><step name="a">{step}</step></steps></task>'


def test_config(templates: Templates) -> None:
    """All scripts and templates can use the imports and constants of x:config."""
    templates.library("<A><source><c:script>LIMIT + 1</c:script></source></A>")
    config = (
        '<x:config><c:import from="t.xlib"/><c:import class="math:floor"/><c:var name="LIMIT" value="${floor(2.5)}"/>'
        '<c:var name="MORE" value="${LIMIT * 2}"/></x:config>'
    )
    assert templates.bench.run(flow(config, "<source>LIMIT + MORE</source>"), allow=["math"]).result == 6
    assert templates.bench.run(flow(config, "<source><t:A/></source>"), allow=["math"]).result == 3


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("<x:config><c:iff/></x:config>", ["unknown-tag 2:11"]),
        ('<x:config><c:var name="a" value="${1 +}"/></x:config>', ["script-syntax 2:39"]),
        ('<x:config><c:var name="a" value="${1 // 0}"/></x:config>', ["generator-failed 2:11"]),
        ('<x:config><c:import from="no.xlib"/></x:config>', ["no-library 2:21"]),
        ("<x:pre-parse><a/></x:pre-parse>", ["no-meaning 2:1"]),
        ('<x:post-parse><c:check test="dsl_model[\'steps\'][0][\'name\'] == \'b\'" errorCode="b"/></x:post-parse>', ["generator-failed 2:1"]),
        ("<x:post-parse><c:script>nobody</c:script></x:post-parse>", ["unknown-variable 2:1"]),
        ("<x:post-extends><c:script>1 / 0</c:script></x:post-extends>", ["generator-failed 2:1"]),
    ],
)  # fmt: skip
def test_wrong_section(templates: Templates, section: str, expected: list[str]) -> None:
    """A problem in a section is reported at its location."""
    problems = templates.bench.problems(flow(section))
    assert locations_of(problems) == expected, messages_of(problems)


def test_sections_that_are_run(templates: Templates) -> None:
    """x:pre-parse can read the tree, x:post-parse the model."""
    check = '<c:check test="dsl_root.tagName == \'task\'" errorCode="x"/>'
    model = "<c:check test=\"dsl_model['steps'][0]['type'] == 'step'\" errorCode=\"x\"/>"
    text = flow(f"<x:pre-parse>{check}</x:pre-parse><x:post-parse>{model}</x:post-parse>")
    assert templates.bench.run(text).result == 1


def test_post_extends(templates: Templates) -> None:
    """The elements of x:post-extends are merged into the flow."""
    made = '<task><steps><step name="a"><source>5</source></step></steps></task>'
    assert templates.bench.run(flow(f"<x:post-extends>{made}</x:post-extends>")).result == 5


def test_dump(templates: Templates, caplog: pytest.LogCaptureFixture) -> None:
    """x:dump logs the tree."""
    with caplog.at_level("INFO", "taskrun"):
        assert (
            templates.bench.run(
                '<task x:dump="true"><steps><step name="a"><source>1</source></step></steps></task>'
            ).result
            == 1
        )
    assert any("<steps>" in item.message for item in caplog.records)


def test_tags_of_packages(templates: Templates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages register their tags by entry points."""
    entries = {"good": "posixpath", "bad": "nobody_has_this"}

    def found(*, group: str, name: str) -> list[EntryPoint]:
        return [EntryPoint(name, entries[name], group)] if name in entries else []

    monkeypatch.setattr(tag_lookup, "entry_points", found)
    text = '<task xmlns:g="{}"><steps><step name="a"><source><g:Basename p="a/b"/></source></step></steps></task>'
    assert templates.bench.run(text.format("good")).result == "b"
    problems = templates.bench.problems(text.format("bad"))
    assert [item.code for item in problems] == ["no-library"]
    assert "cannot be loaded" in messages_of(problems)
