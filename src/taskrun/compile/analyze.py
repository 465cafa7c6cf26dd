"""Stage ``analyze``: find errors that the schema cannot find, before the flow runs.

Rules: an error is certain to fail when the flow runs, or can never be intended. Examples are a jump to an unknown step,
two steps of one name, a variable that nothing sets, an attribute that has no effect where it is. Probable mistakes are
warnings (``compile.lint``); ``taskrun check --strict`` treats them as errors. Checks for one step type are in the
``analyze`` method of its class.
"""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.core.completion import SIGNAL_TARGETS
from taskrun.core.step import Step, walk
from taskrun.errors import Diagnostic, near_hint
from taskrun.model.variables import Variables
from taskrun.syntax.node import Node

NO_EFFECT = "no-meaning"
"""The code of errors about what the schema allows, but has no effect where it is: nothing is accepted and ignored."""


def find_problems(root: Step, variables: Variables) -> Iterator[Diagnostic]:
    """Yield every error of a model, and the warnings that its steps and decorators report themselves.

    ``root`` is the root step, ``variables`` the table of the variables that each step can read.
    """
    for step in walk(root):
        yield from _duplicate_steps(step)
        yield from _duplicate_inputs_and_outputs(step)
        yield from _unknown_targets(step)
        yield from _without_effect(step, root)
        yield from step.analyze()
        for decorator in step.decorators:
            yield from decorator.analyze(step)
    yield from variables.find_problems()


def _duplicate_steps(step: Step) -> Iterator[Diagnostic]:
    """Yield an error for each step directly inside ``step`` that has the name of an earlier one."""
    seen: dict[str, Step] = {}
    for child in step.children():
        first = seen.setdefault(child.name, child)
        if first is not child:
            yield child.node.problem(
                "duplicate-name",
                f"a second step '{child.name}' here; the first is at line {first.node.line}",
                hint="names are unique among siblings",
                attribute="name",
            )


def _duplicate_inputs_and_outputs(step: Step) -> Iterator[Diagnostic]:
    """Yield an error for each input of the step with the name of an earlier input; the same for its outputs."""
    for kind, parts in (("input", step.inputs), ("output", step.outputs)):
        seen: set[str] = set()
        for part in parts:
            if part.name in seen:
                yield part.node.problem("duplicate-name", f"a second {kind} '{part.name}'", attribute="name")
            seen.add(part.name)


def _unknown_targets(step: Step) -> Iterator[Diagnostic]:
    """Yield an error for each ``next``, ``nextOnError`` or ``to`` inside ``step`` that names no existing sibling."""
    siblings = {child.name for child in step.children()}
    if not step.traits.children_jump:
        special: tuple[str, ...] = ()  # in a graph ``next`` is an edge, so that @exit, @end and @suspend mean nothing
    else:
        special = tuple(SIGNAL_TARGETS)
    for child in step.children():
        jumps = [("next", child.next, child), ("nextOnError", child.next_on_error, child)]
        jumps.extend(("to", target, part) for part, target in child.traits.jumps(child))
        for attribute, target, at in jumps:
            if target is None or target in siblings or target in special:
                continue
            hint = near_hint(target, [*siblings, *special]) or "a target is a sibling" + (
                ", @exit, @end or @suspend" if special else ""
            )
            yield at.node.problem(
                "unknown-next-step",
                f"there is no step '{target}' beside '{child.name}'",
                hint=hint,
                attribute=attribute,
            )


def _without_effect(step: Step, root: Step) -> Iterator[Diagnostic]:
    """Yield an error for each attribute or child element of a step that has no effect there; ``root`` is the root step.

    The attributes by which the steps directly inside it jump or wait are checked too.
    """
    for child in step.children():
        yield from _jumps_and_waits(step, child)
    node = step.node
    if "persisVars" in node.attributes and not step.traits.contains_steps(step):
        yield _no_effect(node, "persisVars", "they are stored while steps inside run, and there are none")
    if "errorName" in node.attributes and "nextOnError" not in node.attributes:
        yield _no_effect(node, "errorName", "only the jump of nextOnError sets that variable")
    for part in (*(item.node for item in step.inputs), *(item.node for item in step.outputs)):
        if "value" in part.attributes and part.child("source") is not None:
            yield _no_effect(part, "value", "the <source> already computes the value; remove one of them")
    if step is root:
        yield from _root_only(step)


def _jumps_and_waits(around: Step, child: Step) -> Iterator[Diagnostic]:
    """Yield an error for each attribute of ``child`` for a jump or a wait that the step ``around`` does not support."""
    words = child.node.attributes
    if not around.traits.children_continue:
        for word in ("next", "nextOnError"):
            if word in words:
                yield _no_effect(child.node, word, f"no step comes after another in a <{around.node.tag}>")
    if around.traits.children_jump:
        for word in ("waitSteps", "waitErrorSteps"):
            if word in words:
                yield _no_effect(child.node, word, "steps wait for each other in a <graph> only")


def _root_only(root: Step) -> Iterator[Diagnostic]:
    """Yield an error for each attribute or element of the root step that works only on other steps."""
    node = root.node
    for word in ("enterSteps", "exitSteps"):
        if node.tag == "task" and word in node.attributes and root.traits.children_jump:
            yield _no_effect(node, word, 'it belongs to a graph; set graphMode="true"')
    revert = node.child("revert")
    if revert is not None:
        why = "a task that has succeeded is not undone; add the <revert> to a step, such as one that calls the task"
        yield revert.problem(NO_EFFECT, "<revert> has no meaning here", hint=why)
    for item in root.inputs:
        if "fromTaskScope" in item.node.attributes:
            yield _no_effect(item.node, "fromTaskScope", "the inputs of a task are the task's scope")
    for output in root.outputs:
        for word in ("exportAs", "toTaskScope"):
            if word in output.node.attributes:
                yield _no_effect(
                    output.node, word, "an output of the task is returned to the caller under its own name"
                )


def _no_effect(node: Node, word: str, why: str) -> Diagnostic:
    """Return the error that the attribute ``word`` of an element has no effect; ``why`` is its hint."""
    return node.problem(NO_EFFECT, f"{word} has no meaning here", hint=why, attribute=word)
