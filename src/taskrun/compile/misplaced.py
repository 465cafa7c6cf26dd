"""Errors for attributes and elements that the schema allows but that have no effect where they are.

Rules: nothing is accepted and then ignored. The checks here are for all step types; those for one step type are in the
``analyze`` method of its class.
"""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.core.step import Step
from taskrun.errors import Diagnostic
from taskrun.syntax.node import Node

CODE = "no-meaning"


def find_problems(step: Step, root: Step) -> Iterator[Diagnostic]:
    """Yield an error for each attribute or child element of a step that has no effect there; ``root`` is the root step.

    The attributes by which the steps directly inside it jump or wait are checked too.
    """
    for child in step.children():
        yield from _jumps_and_waits(step, child)
    node = step.node
    if "persisVars" in node.attributes and not step.traits.contains_steps(step):
        yield _problem(node, "persisVars", "they are stored while steps inside run, and there are none")
    if "errorName" in node.attributes and "nextOnError" not in node.attributes:
        yield _problem(node, "errorName", "only the jump of nextOnError sets that variable")
    for part in (*(item.node for item in step.inputs), *(item.node for item in step.outputs)):
        if "value" in part.attributes and part.child("source") is not None:
            yield _problem(part, "value", "the <source> already computes the value; remove one of them")
    if step is root:
        yield from _root_only(step)


def _jumps_and_waits(around: Step, child: Step) -> Iterator[Diagnostic]:
    """Yield an error for each attribute of ``child`` for a jump or a wait that the step ``around`` does not support."""
    words = child.node.attributes
    if not around.traits.children_continue:
        for word in ("next", "nextOnError"):
            if word in words:
                yield _problem(child.node, word, f"no step comes after another in a <{around.node.tag}>")
    if around.traits.children_jump:
        for word in ("waitSteps", "waitErrorSteps"):
            if word in words:
                yield _problem(child.node, word, "steps wait for each other in a <graph> only")


def _root_only(root: Step) -> Iterator[Diagnostic]:
    """Yield an error for each attribute or element of the root step that works only on other steps."""
    node = root.node
    for word in ("enterSteps", "exitSteps"):
        if node.tag == "task" and word in node.attributes and root.traits.children_jump:
            yield _problem(node, word, 'it belongs to a graph; set graphMode="true"')
    revert = node.child("revert")
    if revert is not None:
        why = "a task that has succeeded is not undone; add the <revert> to a step, such as one that calls the task"
        yield revert.problem(CODE, "<revert> has no meaning here", hint=why)
    for item in root.inputs:
        if "fromTaskScope" in item.node.attributes:
            yield _problem(item.node, "fromTaskScope", "the inputs of a task are the task's scope")
    for output in root.outputs:
        for word in ("exportAs", "toTaskScope"):
            if word in output.node.attributes:
                yield _problem(output.node, word, "an output of the task is returned to the caller under its own name")


def _problem(node: Node, word: str, why: str) -> Diagnostic:
    return node.problem(CODE, f"{word} has no meaning here", hint=why, attribute=word)
