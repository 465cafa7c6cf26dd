"""Tests of calls of Python functions: parameters of all kinds, executors, and values that cannot be pickled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.calls.arguments import Parameters
from taskrun.calls.python_calls import is_async


def positional(a: int, b: int, /, c: int = 3) -> int:
    return a * 100 + b * 10 + c


def anything(a: int, **more: int) -> int:
    return a + sum(more.values())


class AsyncCallable:
    """A callable object with an ``async`` method ``__call__``."""

    async def __call__(self, x: int) -> int:
        """Return twice the argument."""
        await asyncio.sleep(0)
        return 2 * x


async def later(x: int) -> int:
    return x


def gives_awaitable(x: int) -> Any:
    return later(x)


def stops() -> None:
    raise StopIteration


def double(x: Any) -> Any:
    return x * 2


def wrong_type(x: Any) -> Any:
    return x + "text"


def unpicklable(x: Any) -> Any:
    return x


def test_parameters() -> None:
    assert Parameters.of(positional) == Parameters((), ("c",), ("a", "b"), any_name=False)
    assert Parameters.of(anything) == Parameters(("a",), (), (), any_name=True)
    unknown = Parameters.of(dict)
    assert not unknown.known
    assert list(unknown.problems(("x",))) == []
    assert unknown.arguments({"a": 1, "b": 2}) == ((1, 2), {})


def test_problems_of_arguments() -> None:
    parameters = Parameters.of(positional)
    assert list(parameters.problems(("x",))) == [("", "it takes 2 positional arguments, 1 are given")]
    assert list(parameters.problems(("x", "y"))) == []
    assert list(Parameters.of(anything).problems(("a", "z"))) == []
    problems = list(Parameters.of(double).problems(("y",)))
    assert problems == [
        ("y", "it has no parameter 'y'; its parameters are: x"),
        ("", "its parameter 'x' is not given: add <input name=\"x\"/>"),
    ]


def test_is_async() -> None:
    assert is_async(later)
    assert is_async(AsyncCallable())
    assert not is_async(double)


def invoke(inputs: str, attributes: str = "") -> str:
    return task(f'<simple name="s" bean="f" {attributes}>{inputs}</simple>')


ONE = '<input name="x" value="${3}"/>'


def given(*names: str) -> str:
    return "".join(f'<input name="{name}"><source>{n + 1}</source></input>' for n, name in enumerate(names))


@pytest.mark.parametrize(
    ("function", "inputs", "result"),
    [
        (positional, given("p", "q"), 123),
        (positional, given("p", "q", "c"), 123),
        (anything, given("a", "b", "c"), 6),
        (AsyncCallable(), ONE, 6),
        (gives_awaitable, ONE, 3),
    ],
)
def test_calls(bench: Bench, function: Any, inputs: str, result: Any) -> None:
    assert bench.run(invoke(inputs), beans={"f": function}).result == result


@pytest.mark.parametrize("where", ["inline", "thread", "process"])
def test_executors_of_functions(bench: Bench, where: str) -> None:
    assert bench.run(invoke(ONE, f'executor="{where}"'), beans={"f": double}).result == 6


@pytest.mark.parametrize("where", ["inline", "thread", "process"])
def test_executors_of_scripts(bench: Bench, where: str) -> None:
    flow = task(
        f'<step name="s" executor="{where}">{ONE}<output name="y"/><source>y = x + 1\nreturn y * 2</source></step>'
    )
    assert bench.run(flow).result == 8


def test_stop_iteration_is_a_failure(bench: Bench) -> None:
    cause = bench.run(invoke(""), beans={"f": stops}).cause
    assert str(cause) == "the function raised StopIteration"


def test_a_parameter_without_a_variable(bench: Bench) -> None:
    cause = bench.run(invoke(""), beans={"f": double}).cause
    assert isinstance(cause, LookupError)
    assert "no variable 'x' for the parameter of that name" in str(cause)


def test_a_value_that_cannot_be_pickled_is_named(bench: Bench) -> None:
    flow = '<task><input name="x"/><steps><simple name="s" bean="f" executor="process"><input name="x"/></simple></steps></task>'
    cause = bench.run(flow, {"x": (i for i in "ab")}, beans={"f": double}).cause
    assert "step 'main/s' cannot run in a process: the value of 'x' cannot be pickled" in str(cause)


def test_a_type_error_of_the_function_itself_is_propagated(bench: Bench) -> None:
    cause = bench.run(invoke(ONE, 'executor="process"'), beans={"f": wrong_type}).cause
    assert isinstance(cause, TypeError)
    assert "cannot run in a process" not in str(cause)


def test_a_bean_that_is_not_an_executor(bench: Bench) -> None:
    cause = bench.run(invoke(ONE, 'executor="g"'), beans={"f": double, "g": 1}).cause
    assert "executor 'g' is a int, not a concurrent.futures.Executor" in str(cause)
