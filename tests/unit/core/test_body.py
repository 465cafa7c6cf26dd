"""Bodies that run without coroutines: jumps and signals have the same effects as in other bodies."""

from __future__ import annotations

from typing import Any

import pytest

from taskrun import Completion, TaskManager
from taskrun.core.completion import Signal, jump_to
from taskrun.errors import StepError
from taskrun.script.script import UnknownVariableError

FLOW = (
    '<task><steps><loop-n name="l" beginExpr="1" endExpr="2" varName="n"><steps>'
    '<step name="a"><source>note("a")</source></step><step name="b"><source>way()</source></step>'
    '<step name="c"><source>note("c")</source></step><step name="d"><source>note("d")</source></step></steps></loop-n></steps></task>'
)


def ran(path: Any, way: Any) -> str:
    seen: list[str] = []
    path.write_text(FLOW)
    TaskManager(functions={"note": seen.append, "way": way}).run(path)
    return "".join(seen)


def test_a_script_whose_value_is_a_jump(tmp_path: Any) -> None:
    assert ran(tmp_path / "f.task.xml", lambda: jump_to("d", {})) == "adad"
    assert ran(tmp_path / "f.task.xml", lambda: None) == "acdacd"
    with pytest.raises(
        StepError, match=r"cannot jump to 'nowhere': the body of main/l has no such step; it has: a, b, c, d"
    ):
        ran(tmp_path / "f.task.xml", lambda: jump_to("nowhere", {}))


def test_a_script_whose_value_is_an_end(tmp_path: Any) -> None:
    assert ran(tmp_path / "f.task.xml", lambda: Completion({}, Signal.EXIT)) == "aa"
    assert ran(tmp_path / "f.task.xml", lambda: Completion({}, Signal.END)) == "a"


def test_an_input_whose_script_reads_an_unknown_variable(tmp_path: Any) -> None:
    path = tmp_path / "f.task.xml"
    path.write_text(
        '<task><steps><step name="a"><input name="x" type="int"><source>nope</source></input><source>x</source></step></steps></task>'
    )
    with pytest.raises(StepError) as caught:
        TaskManager().run(path)
    assert isinstance(caught.value.__cause__, UnknownVariableError)
