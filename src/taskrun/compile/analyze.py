"""Stage ``analyze``: find errors that the schema cannot find, before the flow runs.

Rules: an error is certain to fail when the flow runs, or can never be intended. Examples are a jump to an unknown step,
two steps of one name, a variable that nothing sets. Probable mistakes are warnings (``compile.lint``); ``taskrun check
--strict`` treats them as errors. Checks for one step type are in the ``analyze`` method of its class.
"""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.compile import misplaced
from taskrun.core.completion import SIGNAL_TARGETS
from taskrun.core.step import Step, walk
from taskrun.errors import Diagnostic, near_hint
from taskrun.model.variables import Variables


def find_problems(root: Step, variables: Variables) -> Iterator[Diagnostic]:
    """Yield every error of a model, and the warnings that its steps and decorators report themselves.

    ``root`` is the root step, ``variables`` the table of the variables that each step can read.
    """
    for step in walk(root):
        yield from _duplicate_steps(step)
        yield from _duplicate_inputs_and_outputs(step)
        yield from _unknown_targets(step)
        yield from misplaced.find_problems(step, root)
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
