"""Edges of a graph: which step waits for which other steps, and for which kind of end.

    waitSteps="X"         next="…" of X          STEP_RESULTS.X.result     wait for the success of X
    waitErrorSteps="X"    nextOnError="…" of X   STEP_RESULTS.X.error      wait for the failure of X

Rules: a step waits for X because of its own attributes (left), because X names it (middle), or because its inputs read
the result of X (right). If it would wait for both the success and the failure, it waits for X to end in any way.
"""

from __future__ import annotations

import enum
import graphlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from taskrun.core.step import Step
from taskrun.errors import Diagnostic, near_hint
from taskrun.syntax.node import Node

_READ = re.compile(r"""STEP_RESULTS\s*(?:\.\s*(\w+)|\[\s*(["'])([^"']+)\2\s*\])(?:\s*\.\s*(\w+))?""")


class Wait(enum.Enum):
    """Kind of end of another step that a step waits for: success, failure or any end."""

    SUCCESS = "success"
    FAILURE = "failure"
    END = "end"

    def is_satisfied(self, failed: bool) -> bool:
        """Return whether the wait is over, now that the other step has ended; ``failed``: it ended with a failure."""
        return self is Wait.END or failed is (self is Wait.FAILURE)


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of a graph: ``waits`` has, for each step, the steps that it waits for, with the kind of end."""

    waits: Mapping[str, Mapping[str, Wait]]

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Edges:
        """Return the edges between these steps, collected from their attributes and from what their inputs read."""
        steps = tuple(steps)
        waits: dict[str, dict[str, Wait]] = {step.name: {} for step in steps}
        for step in steps:
            for name in step.wait_steps:
                _add(waits, step.name, name, Wait.SUCCESS)
            for name in step.wait_error_steps:
                _add(waits, step.name, name, Wait.FAILURE)
            for name, wait in _read_results(step):
                _add(waits, step.name, name, wait)
            if step.next in waits:
                _add(waits, step.next, step.name, Wait.SUCCESS)
            if step.next_on_error in waits:
                _add(waits, step.next_on_error, step.name, Wait.FAILURE)
        return cls(waits)

    def awaits_failure(self, name: str) -> bool:
        """Return whether any step waits for the failure of the step ``name``, or for its end in any way."""
        return any(wait.get(name) in {Wait.FAILURE, Wait.END} for wait in self.waits.values())

    def cycle(self) -> list[str] | None:
        """Return the names along a cycle, the first one repeated at the end; None if there is no cycle."""
        try:
            graphlib.TopologicalSorter({name: set(waits) for name, waits in self.waits.items()}).prepare()
        except graphlib.CycleError as error:
            names: list[str] = error.args[1]
            return names
        return None


def _add(waits: dict[str, dict[str, Wait]], step: str | None, other: str, wait: Wait) -> None:
    """Add to ``waits`` that ``step`` waits for ``other``.

    If it waits for another kind of end of ``other`` already, the two become a wait for any end.
    """
    edges = waits[step or ""]
    edges[other] = wait if edges.get(other, wait) is wait else Wait.END


def _read_results(step: Step) -> Iterator[tuple[str, Wait]]:
    """Yield the name of each step whose result the inputs of ``step`` read, with the kind of end to wait for."""
    for item in step.inputs:
        found = item.source or item.value
        for read in _READ.finditer(found.text) if found else ():
            yield read[1] or read[3], Wait.FAILURE if read[4] == "error" else Wait.SUCCESS


def edge_problems(
    owner: Step, steps: tuple[Step, ...], enter: frozenset[str], leave: frozenset[str]
) -> Iterator[Diagnostic]:
    """Yield the diagnostics of a graph: missing or unknown enter and exit steps, and those of ``wait_problems``.

    ``owner`` is the graph, ``steps`` are the steps inside, ``enter`` and ``leave`` the names in ``enterSteps`` and
    ``exitSteps``.
    """
    names = {step.name for step in steps}
    node = owner.node
    for attribute, wanted, code in (
        ("enterSteps", enter, "graph-step-no-enter-steps"),
        ("exitSteps", leave, "graph-step-no-exit-steps"),
    ):
        if not wanted:
            yield node.problem(code, f"a graph needs {attribute}: the names of the steps it begins or ends with")
        for name in sorted(wanted - names):
            hint = near_hint(name, names)
            yield node.problem(
                "unknown-step-in-graph", f"there is no step '{name}' here", hint=hint, attribute=attribute
            )
    yield from wait_problems(node, steps, enter)


def wait_problems(node: Node, steps: tuple[Step, ...], enter: frozenset[str]) -> Iterator[Diagnostic]:
    """Yield the diagnostics of the waits in a graph: unknown names, enter steps that wait, unreachable steps, cycles.

    ``node`` is the element of the graph, ``enter`` has the names in ``enterSteps``.
    """
    names = {step.name for step in steps}
    edges = Edges.of(steps)
    for step in steps:
        for name in sorted(set(edges.waits[step.name]) - names):
            by_attribute = {"waitSteps": step.wait_steps, "waitErrorSteps": step.wait_error_steps}
            place = next((attribute for attribute, names_in in by_attribute.items() if name in names_in), None)
            text = f"'{step.name}' waits for '{name}', and there is no such step here"
            yield step.node.problem("unknown-wait-step", text, hint=near_hint(name, names), attribute=place)
        for name in enter & {step.name}:
            if edges.waits[name]:
                text = f"'{name}' is an enter step and also waits for {', '.join(sorted(edges.waits[name]))}"
                yield step.node.problem(
                    "enter-step-waits", text, hint="an enter step starts at once", severity="warning"
                )
        if step.name not in enter and not edges.waits[step.name]:
            text = f"step '{step.name}' never starts: it is no enter step and waits for nothing"
            yield step.node.problem("unreachable", text, severity="warning")
    if cycle := edges.cycle():
        yield node.problem("graph-step-contains-loop", "steps wait for each other: " + " → ".join(cycle))
