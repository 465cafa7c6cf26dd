"""Run: beans, observers that raise; completions, scopes and JSON Schema checks."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.core.completion import NEXT, RESULT, Completion, Signal, completion_of, jump_to
from taskrun.core.scope import Scope
from taskrun.errors import PluginError
from taskrun.script.script import UnknownVariableError
from taskrun.value_types import SchemaCheck


class Door:
    """Bean with constructor arguments, a property and destroy methods."""

    log: list[str] = []  # noqa: RUF012 - a test empties it

    def __init__(self, word: str, other: Any = None, *, named: Any = None) -> None:
        self.word, self.other, self.named = word, other, named
        self.colour = "none"

    def shut(self) -> None:
        """Destroy the bean."""
        self.log.append(f"shut {self.word}")

    def jam(self) -> None:
        """Raise OSError instead of destroying the bean."""
        raise OSError("jammed")

    def say(self) -> list[Any]:
        """Return the values that the bean was configured with."""
        return [self.word, getattr(self.other, "word", None), self.named, self.colour]


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    module = type(sys)("small_doors")
    module.Door = Door  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "small_doors", module)
    monkeypatch.setattr(Door, "log", [])
    return {"allow": ["small_doors"]}


def bean(id_: str, inner: str = "", attributes: str = "") -> str:
    return f'<bean id="{id_}" class="small_doors:Door" {attributes}><constructor-arg value="{id_}"/>{inner}</bean>'


SAY = '<step name="s"><source>inject("front").say()</source></step>'


def test_beans_of_a_task(bench: Bench, doors: dict[str, Any]) -> None:
    front = bean(
        "front",
        '<constructor-arg ref="back"/><constructor-arg name="named" value="n"/><property name="colour" value="red"/>',
        'destroyMethod="shut"',
    )
    back = bean("back", attributes='destroyMethod="shut"')
    head = f"<beans>{front}{back}</beans>"
    assert bench.run(task(SAY, head=head), **doors).result == ["front", "back", "n", "red"]
    assert sorted(Door.log) == ["shut back", "shut front"]


def test_an_exception_of_a_destroy_method_is_logged(
    bench: Bench, doors: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    front = bean("front", attributes='destroyMethod="jam"')
    head = f"<beans>{front}</beans>"
    with caplog.at_level(logging.WARNING, "taskrun"):
        assert bench.run(task(SAY, head=head), **doors).error is None
    assert "the destroyMethod of a bean failed: OSError('jammed')" in caplog.text


def test_beans_that_refer_to_each_other_in_a_circle(bench: Bench, doors: dict[str, Any]) -> None:
    front = bean("front", '<property name="other" ref="back"/>')
    back = bean("back", '<property name="other" ref="front"/>')
    head = f"<beans>{front}{back}</beans>"
    ran = bench.run(task(SAY, head=head), **doors)
    assert "beans refer to each other in a circle: front → back → front; remove one ref" in str(ran.error)


def test_an_observer_that_raises_is_removed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []

    def fails(event: Any) -> None:
        seen.append(event)
        raise ValueError("observer")

    with caplog.at_level(logging.ERROR, "taskrun"):
        ran = bench.run(task('<step name="s"><source>1</source></step>'), watch=True, observers=(fails,))
    assert ran.result == 1
    assert len(seen) == 1
    assert len(ran.events) > 1
    assert caplog.text.count("an observer raised an exception and gets no more events") == 1


def test_completions() -> None:
    assert completion_of(None) is NEXT
    assert completion_of(NEXT) is NEXT
    assert completion_of(3).result == 3
    assert jump_to(None, {}) == NEXT
    assert jump_to("@end", {}).signal is Signal.END
    assert jump_to("a", {}).target == "a"
    assert Completion({RESULT: 0, "x": 1}).truthy is False
    assert Completion({"x": 0}).truthy is True
    assert NEXT.truthy is False


def test_scopes() -> None:
    scope = Scope(Scope(None, a=1), b=2)
    assert list(scope.names()) == ["b", "a"]
    with pytest.raises(UnknownVariableError):
        scope["c"]


def test_schema_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    check = SchemaCheck('{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["m"]}')
    check.check({"m": 1})
    with pytest.raises(ValueError, match=r"'m' is a required property; \['n'\]: 'x' is not of type 'integer'"):
        check.check({"n": "x"})
    with pytest.raises(ValueError, match="not a JSON Schema"):
        SchemaCheck('{"type": 3}')
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(PluginError, match=r"taskrun\[schema\]"):
        SchemaCheck("{}")
