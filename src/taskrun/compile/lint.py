"""Warnings and notes of the stage ``analyze``, about parts of a flow that are valid but probably a mistake.

Rules: a warning never prevents a run. Each check is a generator function; it reports certain cases only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskrun.core.body import Body
from taskrun.core.completion import RESULT
from taskrun.core.fields import scripts_of
from taskrun.core.step import Step, child_fields, walk
from taskrun.errors import Diagnostic
from taskrun.model.variables import Variables

PLATFORM_WORDS = ("sync", "concurrent", "runOnContext", "internal")
"""The attributes that configure threads and services of the Java platform and have no effect here."""


def find_problems(root: Step, variables: Variables, reads: Iterable[str] = ()) -> Iterator[Diagnostic]:
    """Yield every warning and note of a model; ``reads`` are variables that are read outside its steps."""
    used = {*_all_reads(root), *reads}
    known = not any(step.traits.reads_unknown(step) for step in walk(root))
    # the outputs of a library's steps are read by the flows that call them
    library = ".task-lib." in root.node.source.path
    for_callers = {id(step.node) for step in root.children()} if library else set()
    for step in walk(root):
        yield from _platform_words(step)
        yield from _catch_within_retry(step)
        yield from _unreachable(step)
        yield from _exported_twice(step)
        yield from _unread_inputs(step)
        if known and step is not root and id(step.node) not in for_callers:
            yield from _unused_outputs(step, used)
    if known and variables.closed:
        yield from _unread_task_inputs(root, used)


def _platform_words(step: Step) -> Iterator[Diagnostic]:
    """Yield a note for each attribute or element that only the Java platform uses and that has no effect here."""
    for node in (step.node, *step.node.children):
        words = PLATFORM_WORDS if node is step.node else ("role", "roles")
        for word in words:
            if word in node.attributes:
                text = f"{word} describes the Java platform and has no effect here"
                yield node.problem("no-effect", text, attribute=word, severity="note")
        if node.tag == "auth":
            yield node.problem(
                "no-effect", "<auth> describes the Java platform and has no effect here", severity="note"
            )
    for name in step.node.attributes:
        if name.startswith("graphql:"):
            yield step.node.problem("no-effect", f"{name} has no effect here", attribute=name, severity="note")


def _catch_within_retry(step: Step) -> Iterator[Diagnostic]:
    """Yield a warning for a ``catch`` inside a ``retry``, and for ``catchInternalException`` without ``catch``."""
    node = step.node
    catch, retry = node.child("catch"), node.child("retry")
    if catch is not None and retry is not None:
        yield catch.problem(
            "catch-before-retry",
            "catch is inside retry: what it handles counts as success and is never retried",
            hint="put the step with its <retry> into a <sequential> that has the <catch>",
            severity="warning",
        )
    if "catchInternalException" in node.attributes and catch is None:
        yield node.problem(
            "no-catch",
            "catchInternalException without a <catch>",
            attribute="catchInternalException",
            severity="warning",
        )


def _unreachable(step: Step) -> Iterator[Diagnostic]:
    """Yield a warning for each step that follows an unconditional jump or end and that no step jumps to."""
    for name in child_fields(type(step)):
        body = getattr(step, name)
        if not isinstance(body, Body):
            continue
        targets = {target for child in body for target in (child.next, child.next_on_error) if target}
        targets.update(target for child in body for _, target in child.traits.jumps(child) if target)
        reached = True
        for child in body:
            reached = reached or child.name in targets
            if not reached:
                text = f"step '{child.name}' is never reached"
                yield child.node.problem("unreachable", text, severity="warning")
            skippable = any(decorator.rank > 130 for decorator in child.decorators)  # noqa: PLR2004 - when and flags
            if (child.next or child.traits.always_leaves) and not skippable:
                reached = child.next == child.name


def _exported_twice(step: Step) -> Iterator[Diagnostic]:
    """Yield a warning for each variable that two concurrent branches export: the last one to end wins."""
    if not step.traits.concurrent_children:
        return
    seen: dict[str, Step] = {}
    for child in step.children():
        for output in child.outputs:
            first = seen.setdefault(output.variable, child)
            if first is not child and output.variable != RESULT:
                yield output.node.problem(
                    "exported-twice",
                    f"'{output.variable}' is exported by '{first.name}' too: which one is last is not certain",
                    hint="use exportAs",
                    severity="warning",
                )


def _unread_inputs(step: Step) -> Iterator[Diagnostic]:
    """Yield a warning for each input of a script step that none of its scripts reads."""
    if not step.traits.reads_only_scripts:
        return
    reads = set(_own_reads(step))
    for item in step.inputs:
        if item.name not in reads:
            text = f"nothing in '{step.name}' reads the input '{item.name}'"
            yield item.node.problem("unread-input", text, severity="warning")


def _unused_outputs(step: Step, used: set[str]) -> Iterator[Diagnostic]:
    """Yield a warning for each output that is not among the variables that the flow reads (``used``)."""
    for output in step.outputs:
        if output.variable != RESULT and output.variable not in used and output.name not in used:
            text = f"nobody reads '{output.variable}'"
            yield output.node.problem("unused-output", text, severity="warning")


def _unread_task_inputs(root: Step, used: set[str]) -> Iterator[Diagnostic]:
    """Yield a warning for each input of the task that is not among the variables that the flow reads (``used``)."""
    for item in root.inputs:
        if item.name not in used:
            yield item.node.problem("unread-input", f"nobody reads the input '{item.name}'", severity="warning")


def _own_reads(step: Step, *, by_name: bool = True) -> Iterator[str]:
    """Yield the variables that the scripts, outputs and decorators of a step read."""
    for script in scripts_of(step):
        yield from script.reads
    for output in step.outputs:
        found = output.source or output.value
        if found is not None:
            yield from found.reads
        elif by_name:
            yield output.name
    for decorator in step.decorators:
        for script in scripts_of(decorator):
            yield from script.reads


def _all_reads(root: Step) -> Iterator[str]:
    """Yield the variables that a step and all steps inside it read, also by the inputs of the inner steps."""
    for step in walk(root):
        contains_steps = any(True for _ in step.children())
        yield from _own_reads(step, by_name=contains_steps)
        for item in step.inputs if step is not root else ():
            script = item.source or item.value
            yield from script.reads if script else (item.name,)
        yield from step.traits.reads_by_name(step)
