"""Programs that try to escape from the sandbox. Each must be refused, fail, or return a harmless value."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from script_payloads import SECRET, hosts

from taskrun.core.scope import Scope
from taskrun.script.script import Limits, ScriptSettings, compile_script
from taskrun.syntax.load import parse

FOLDER = Path(__file__).parent
LIMITS = Limits(seconds=1, ticks=50_000)


def rows(name: str) -> list[str]:
    lines = FOLDER.joinpath(name).read_text("utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines if line and not line.startswith("# ")]


def outcome(text: str, **options: Any) -> Any:
    """Return the value of a payload, or its exception, and the variables that it assigned."""
    evaluator = options.pop("evaluator", "compiled")
    settings = ScriptSettings(limits=LIMITS, evaluator=evaluator)
    scope = Scope(Scope(None, **hosts()))
    try:
        node = parse("flow.task.xml", f"<source><![CDATA[{text}]]></source>".encode())
        value = compile_script(node, settings=settings, **options).run(scope)
    except Exception as error:  # noqa: BLE001 - every one is an outcome
        return error, dict(scope)
    return value, dict(scope)


def leaked(value: Any, depth: int = 0) -> bool:
    """Return whether a value is or contains the secret or an internal object of Python."""
    import types

    inside = (types.FrameType, types.CodeType, types.TracebackType, types.ModuleType, types.CoroutineType)
    inside += (types.GetSetDescriptorType, types.MappingProxyType)
    if isinstance(value, str):
        return SECRET in value
    if isinstance(value, inside):
        return True
    if depth < 4 and isinstance(value, dict):
        return any(leaked(item, depth + 1) for pair in value.items() for item in pair)
    if depth < 4 and isinstance(value, (list, tuple, set, frozenset)):
        return any(leaked(item, depth + 1) for item in value)
    return False


@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
@pytest.mark.parametrize("text", rows("escapes.txt"))
def test_no_escape_from_python(text: str, evaluator: str) -> None:
    value, left = outcome(text, evaluator=evaluator)
    assert not leaked(value)
    assert not leaked(left)
    assert Scope(None, **hosts())["Account"].limit == 5


@pytest.mark.parametrize("text", rows("xscript.txt"))
def test_no_escape_from_xscript(text: str) -> None:
    value, left = outcome(text, language="xscript")
    assert not leaked(value)
    assert not leaked(left)


def test_most_are_refused() -> None:
    """Check that nearly all payloads end in an error, so that a test which accepts everything is noticed."""
    ended = [isinstance(outcome(text)[0], Exception) for text in rows("escapes.txt")]
    assert sum(ended) > 0.9 * len(ended)
    assert len(ended) + len(rows("xscript.txt")) >= 76 + 60


def test_an_awaited_result_is_guarded_too() -> None:
    async def give() -> Any:
        return hosts()["frame"]()

    node = parse("f.xml", b"<source>await give()</source>")
    script = compile_script(node, awaits=True)
    with pytest.raises(TypeError, match="does not get a frame"):
        asyncio.run(script.run(Scope(None, give=give)))
