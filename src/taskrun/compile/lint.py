"""Warnings and notes about parts of a flow that are valid but probably a mistake; they belong to the stage ``analyze``.

Rules: a warning never prevents a run. Each check is a generator function. It warns only if what it describes is
certain, such as that no script reads a variable.
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
"""Attributes that set up threads and services of the Java implementation of the format; taskrun ignores them."""


def find_problems(root: Step, variables: Variables, reads: Iterable[str] = ()) -> Iterator[Diagnostic]:
    """Yield every warning and note of a model.

    ``root`` is the root step. ``reads`` are the variables that are read outside of steps, such as by ``<beans>``.
    """
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
    """Yield a note for each attribute or element that has a meaning only for the Java implementation of the format."""
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
    """Yield a warning if a step has both ``<catch>`` and ``<retry>``: what the catch handles is never retried.

    Also warn about ``catchInternalException`` without a ``<catch>``.
    """
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
    """Yield a warning for each step that can never run.

    Such a step follows one that always jumps or ends the body, and no step jumps to it.
    """
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
    """Yield a warning for each variable that two concurrent branches export.

    Its value is that of the branch that ends last, which may differ from run to run.
    """
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
    """Yield a warning for each input that no script of its step reads.

    Only for step types whose inputs only scripts read.
    """
    if not step.traits.reads_only_scripts:
        return
    reads = set(_own_reads(step))
    for item in step.inputs:
        if item.name not in reads:
            text = f"nothing in '{step.name}' reads the input '{item.name}'"
            yield item.node.problem("unread-input", text, severity="warning")


def _unused_outputs(step: Step, used: set[str]) -> Iterator[Diagnostic]:
    """Yield a warning for each output of a step that nothing reads; ``used`` are all variables that the flow reads."""
    for output in step.outputs:
        if output.variable != RESULT and output.variable not in used and output.name not in used:
            text = f"nobody reads '{output.variable}'"
            yield output.node.problem("unused-output", text, severity="warning")


def _unread_task_inputs(root: Step, used: set[str]) -> Iterator[Diagnostic]:
    """Yield a warning for each input of the task that nothing reads; ``used`` are all variables that the flow reads."""
    for item in root.inputs:
        if item.name not in used:
            yield item.node.problem("unread-input", f"nobody reads the input '{item.name}'", severity="warning")


def _own_reads(step: Step, *, by_name: bool = True) -> Iterator[str]:
    """Yield the variables that the scripts, outputs and decorators of one step read; the steps inside are not included.

    With ``by_name``, an output without value and source counts as a read of the variable of its name.
    """
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
    """Yield every variable that something in the flow reads, starting from its root step.

    The inputs of the root are not counted, because they get their values from the caller.
    """
    for step in walk(root):
        contains_steps = any(True for _ in step.children())
        yield from _own_reads(step, by_name=contains_steps)
        for item in step.inputs if step is not root else ():
            script = item.source or item.value
            yield from script.reads if script else (item.name,)
        yield from step.traits.reads_by_name(step)
