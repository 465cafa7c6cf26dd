"""Words that mean nothing where they stand.

Rules: nothing is accepted and ignored. What a word needs to have a meaning is said here, once for all steps; what only one
step type knows is in its own ``analyze``.
"""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.core.step import Step
from taskrun.errors import Diagnostic
from taskrun.syntax.node import Node

CODE = "no-meaning"


def find_problems(step: Step, root: Step) -> Iterator[Diagnostic]:
    """Yield an error for each word of a step, and of its place in the step around it, that has no meaning there."""
    for child in step.children():
        yield from _in_its_place(step, child)
    node = step.node
    if "persisVars" in node.attributes and not step.holds_steps:
        yield _problem(node, "persisVars", "they are kept while steps inside run, and there are none")
    if "errorName" in node.attributes and "nextOnError" not in node.attributes:
        yield _problem(node, "errorName", "without nextOnError there is no jump that could keep an error")
    for part in (*(item.node for item in step.inputs), *(item.node for item in step.outputs)):
        if "value" in part.attributes and part.child("source") is not None:
            yield _problem(part, "value", "the <source> says already what it is; leave one of them out")
    if step is root:
        yield from _of_the_task(step)


def _in_its_place(around: Step, child: Step) -> Iterator[Diagnostic]:
    words = child.node.attributes
    if not around.children_go_on:
        for word in ("next", "nextOnError"):
            if word in words:
                yield _problem(child.node, word, f"no step comes after another in a <{around.node.tag}>")
    if around.children_jump:
        for word in ("waitSteps", "waitErrorSteps"):
            if word in words:
                yield _problem(child.node, word, "steps wait for each other in a <graph> only")


def _of_the_task(root: Step) -> Iterator[Diagnostic]:
    node = root.node
    for word in ("enterSteps", "exitSteps"):
        if node.tag == "task" and word in node.attributes and root.children_jump:
            yield _problem(node, word, 'it belongs to a graph; say graphMode="true"')
    revert = node.child("revert")
    if revert is not None:
        why = "nothing of the task can fail when it has succeeded; what can be undone is a step, such as one that calls it"
        yield revert.problem(CODE, "<revert> has no meaning here", hint=why)
    for item in root.inputs:
        if "fromTaskScope" in item.node.attributes:
            yield _problem(item.node, "fromTaskScope", "the inputs of a task are the task's scope")
    for output in root.outputs:
        for word in ("exportAs", "toTaskScope"):
            if word in output.node.attributes:
                yield _problem(output.node, word, "an output of the task goes to who runs it, under its own name")


def _problem(node: Node, word: str, why: str) -> Diagnostic:
    return node.problem(CODE, f"{word} has no meaning here", hint=why, attribute=word)
