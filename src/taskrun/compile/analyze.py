"""Find what cannot work in a well-written flow, before it runs.

Rules: an error is what must fail, or can never be meant: a jump to nowhere, two steps of one name, a variable that
nothing sets. A warning is what works and is probably a mistake; ``check --strict`` makes it an error. Type-specific
checks are a step's own ``analyze``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskrun.compile.misplaced import ignored
from taskrun.compile.variables import Variables
from taskrun.core.completion import SIGNAL_TARGETS
from taskrun.core.step import Step, walk
from taskrun.errors import AnalysisError, Diagnostic, near_hint


def analyze(root: Step, variables: Variables) -> Iterator[Diagnostic]:
    """Yield every error of a flow, and what its steps say of themselves; ``lint`` has the other warnings."""
    for step in walk(root):
        yield from duplicate_names(step)
        yield from duplicate_parts(step)
        yield from unknown_targets(step)
        yield from ignored(step, root)
        yield from step.analyze()
        for decorator in step.decorators:
            yield from decorator.analyze(step)
    yield from variables.unknown()


def report(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the warnings, or raise AnalysisError with all when one of them is an error."""
    found = sorted(diagnostics, key=lambda item: item.location)
    errors = [item for item in found if item.severity == "error"]
    if errors:
        raise AnalysisError(errors)
    return tuple(found)


def duplicate_names(step: Step) -> Iterator[Diagnostic]:
    """Yield an error for each child that has the name of an earlier one."""
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


def duplicate_parts(step: Step) -> Iterator[Diagnostic]:
    """Yield an error for each input, and each output, that has the name of an earlier one."""
    for kind, parts in (("input", step.inputs), ("output", step.outputs)):
        seen: set[str] = set()
        for part in parts:
            if part.name in seen:
                yield part.node.problem("duplicate-name", f"a second {kind} '{part.name}'", attribute="name")
            seen.add(part.name)


def unknown_targets(step: Step) -> Iterator[Diagnostic]:
    """Yield an error for each ``next``, ``nextOnError`` or ``to`` that names no sibling."""
    siblings = {child.name for child in step.children()}
    if not step.children_jump:
        special: tuple[str, ...] = ()  # in a graph ``next`` is an edge, and there is nothing to leave
    else:
        special = tuple(SIGNAL_TARGETS)
    for child in step.children():
        jumps = [("next", child.next, child), ("nextOnError", child.next_on_error, child)]
        jumps.extend(("to", target, part) for part, target in child.jumps_of_parts())
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
