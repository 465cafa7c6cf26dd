"""Tests of ``check_mutation``: steps that change their inputs in place are reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import testing
from taskrun.cli import main
from taskrun.errors import ChangedInputError, StepError
from taskrun.stores.memory import MemoryStore


@dataclass
class Order:
    """A comparable object, perhaps with a part that cannot be recorded."""

    items: list[Any] = field(default_factory=list)
    shop: Any = None


class Opaque:
    """An object that can be neither recorded nor compared."""

    def __init__(self) -> None:
        self.items: list[Any] = []


CHANGES = task('<step name="a" in:order="order"><source>order.append(1)</source></step>', head='<input name="order"/>')


@pytest.mark.parametrize("store", [None, MemoryStore()])
def test_the_step_and_the_input_are_named(bench: Bench, store: MemoryStore | None) -> None:
    """The step fails in recorded and unrecorded runs; without the setting nothing is checked."""
    ran = bench.run(CHANGES, {"order": [0]}, check_mutation=True, store=store)
    assert isinstance(ran.cause, ChangedInputError)
    assert str(ran.cause) == "step main/a changed its input 'order' in place; return a new value"
    assert isinstance(ran.error, StepError)
    assert ran.error.path == "main/a"
    assert bench.run(CHANGES, {"order": [0]}, store=store).error is None


def test_the_innermost_step_is_named(bench: Bench) -> None:
    """The message names the innermost step and all inputs that it changed; its allowFailure does not apply."""
    body = """
      <sequential name="s" in:x="x" in:y="y" allowFailure="true"><steps>
        <step name="new" in:x="x" in:y="y"><source>[*x, y]</source></step>
        <step name="a" in:x="x" in:y="y" in:n="1" allowFailure="true">
          <source>
            x.append(1)
            y["k"] = {1}
          </source>
        </step>
      </steps></sequential>"""
    ran = bench.run(task(body, head='<input name="x"/><input name="y"/>'), {"x": [], "y": {}}, check_mutation=True)
    assert str(ran.cause).startswith("step main/s changed its inputs")  # the failure of the step inside was allowed
    text = task(body.replace(' allowFailure="true"', ""), head='<input name="x"/><input name="y"/>')
    ran = bench.run(text, {"x": [], "y": {}}, check_mutation=True)
    assert str(ran.cause) == "step main/s/a changed its inputs 'x' and 'y' in place; return a new value"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Order(), True), (Order(shop=Fraction(1, 2)), True), (Opaque(), False), (Order(shop=Opaque()), False)],
    ids=["recorded", "comparable", "not comparable", "with one that is not"],
)
def test_values_that_cannot_be_recorded(bench: Bench, value: Any, expected: bool) -> None:
    """A value that cannot be recorded is compared if its class supports that, else it is not checked."""
    text = task('<simple name="a" bean="add"><input name="order"/></simple>', head='<input name="order"/>')

    def add(order: Any) -> None:
        order.items.append(1)

    ran = bench.run(text, {"order": value}, check_mutation=True, beans={"add": add})
    assert (ran.error is not None) is expected


def test_adding_an_unrecordable_value_is_a_change(bench: Bench) -> None:
    """Adding a value that cannot be recorded is a change."""
    text = task('<simple name="a" bean="add"><input name="order"/></simple>', head='<input name="order"/>')
    ran = bench.run(text, {"order": []}, check_mutation=True, beans={"add": lambda order: order.append(object())})
    assert isinstance(ran.cause, ChangedInputError)


def test_a_failed_step_raises_its_own_failure(bench: Bench) -> None:
    """A failed step reports its failure, not a changed input."""
    body = '<step name="a" in:x="x"><source>\nx.append(1)\nraise ValueError("no")\n</source></step>'
    ran = bench.run(task(body, head='<input name="x"/>'), {"x": []}, check_mutation=True)
    assert isinstance(ran.cause, ValueError)


def test_the_check_is_on_in_taskrun_testing(bench: Bench) -> None:
    """``taskrun.testing.TaskManager`` checks by default, and the check can be switched off."""
    path = bench.write(CHANGES)
    with pytest.raises(StepError, match="changed its input 'order'"):
        testing.TaskManager().run(path, {"order": [0]})
    assert testing.TaskManager(check_mutation=False).run(path, {"order": [0]}).status == "SUCCEEDED"


def test_on_the_command_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The option ``--check-mutation`` switches the check on."""
    words = [str(bench.write(CHANGES)), "--input", "order=[0]"]
    assert main(words) == 0
    assert main([*words, "--check-mutation"]) == 1
    assert "main/a changed its input 'order' in place" in capsys.readouterr().err
