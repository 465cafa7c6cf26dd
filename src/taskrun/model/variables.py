"""Table of the variables that each step of a flow can read, as far as its file determines them.

Rules: a step reads its own scope, then that of the task (with ``useParentScope`` that of the enclosing step first).
Control flow is not analyzed: a variable that any step may set counts as set, so that a correct flow has no errors. A
task without declared inputs accepts all inputs, so its variables are not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from taskrun.core.fields import scripts_of
from taskrun.core.revert import REVERT_VARIABLES
from taskrun.core.step import Step, walk
from taskrun.errors import Diagnostic, near_hint
from taskrun.script.script import Script, Template

if TYPE_CHECKING:
    from taskrun.core.inputs import Input
    from taskrun.core.link_context import LinkContext

CALL_RANK = 120
"""The scripts of decorators above this rank are evaluated in the scope of the caller."""

ENGINE_VARIABLES = frozenset(
    {
        "RESULT", "STEP_RESULT", "STEP_RESULTS", "ERROR", "attempt", "history", "exception", "stepRt", "taskRt",
        "taskStepRt", "svcCtx", "aggResults", "inject", "decoratorModel", "step",
    }
)  # fmt: skip
"""The names of the variables that the engine sets."""


class Variables:
    """Table of the variables that each step of a flow can read.

    ``closed`` is True when all variables of the flow are known; otherwise the methods return None.
    """

    def __init__(self, root: Step, context: LinkContext | None = None) -> None:
        """Compute the table of the flow with this root; with a ``context``, including the variables that beans set."""
        self.root = root
        self._provided = {id(step.node): step.traits.provides(step, context) for step in walk(root)}
        self.closed: bool = bool(root.inputs) and all(
            step.language == "python" and not _sets_any(step) and self._provided[id(step.node)] is not None
            for step in walk(root)
        )
        self._parents: dict[int, Step] = {}
        self._own: dict[int, frozenset[str]] = {}
        to_task: set[str] = set()
        for step in walk(root):
            for child in step.children():
                self._parents[id(child.node)] = step
            to_task.update(output.variable for output in step.outputs if output.to_task_scope)
            provided = [self._provided[id(child.node)] or () for child in step.children()]
            self._own[id(step.node)] = frozenset(own_names(step)).union(*provided)
        self.task: frozenset[str] = self._own[id(root.node)] | to_task | ENGINE_VARIABLES

    def inside(self, step: Step) -> frozenset[str] | None:
        """Return the variables that the scripts of the step itself can read, None when they are not known."""
        if not self.closed:
            return None
        names = self._own[id(step.node)]
        while step.use_parent_scope:  # the root has no parent and no such attribute
            step = self._parents[id(step.node)]
            names = names | self._own[id(step.node)]
        return names | self.task

    def before(self, step: Step) -> frozenset[str] | None:
        """Return the variables that the inputs of a step can read, None when they are not known.

        They are those of the place where the step is called, without the step's own scope.
        """
        if id(step.node) not in self._own:
            return None  # the step is part of a library that is called from this flow
        parent = self._parents.get(id(step.node))
        return self.inside(parent if parent is not None else self.root)

    def owner_of(self, name: str, step: Step) -> Step | None:
        """Return the innermost enclosing step that has the variable in its own scope, or None if no step has it."""
        current = self._parents.get(id(step.node))
        while current is not None:
            if name in self._own[id(current.node)]:
                return current
            current = self._parents.get(id(current.node))
        return None

    def find_problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each reference to a variable that nothing sets; none when the variables are not known."""
        if not self.closed:
            return
        for step in walk(self.root):
            before, inside = self.before(step) or self.task, self.inside(step) or self.task
            for item in step.inputs:
                yield from self._input(step, item, self.task if item.from_task_scope else before)
            for output in step.outputs:
                yield from self._reads(step, output.source or output.value, inside)
            for script in scripts_of(step):
                yield from self._reads(step, script, inside)
            if step.revert is not None:
                yield from self._reads(step, step.revert.body, inside | REVERT_VARIABLES)
            for decorator in step.decorators:
                for script in scripts_of(decorator):
                    yield from self._reads(step, script, before if decorator.rank > CALL_RANK else inside)

    def _input(self, step: Step, item: Input, names: frozenset[str]) -> Iterator[Diagnostic]:
        """Yield the errors of an input of a step; ``names`` are the variables that it can read."""
        if step is self.root:
            return
        if step.traits.requests(step, item):
            return
        if not item.by_name:
            yield from self._reads(step, item.source or item.value, names)
        elif item.name not in names and not item.optional and item.default_value is None:
            yield item.node.problem(
                "unknown-variable", f"unknown variable '{item.name}'", hint=self._hint(item.name, names, step)
            )

    def _reads(self, step: Step, script: Script | Template | None, names: frozenset[str]) -> Iterator[Diagnostic]:
        """Yield an error for each variable that a script reads and that is not in ``names``."""
        if script is None:
            return
        for name in sorted(script.reads - names):
            reader = script.reader(name) if isinstance(script, Script) else script
            found = re.search(rf"(?<![\w.'\"]){re.escape(name)}\b", reader.text)
            place = reader.node.character_at(found.start() if found else 0, reader.attribute)
            hint = self._hint(name, names, step)
            yield reader.node.problem("unknown-variable", f"unknown variable '{name}'", hint=hint, at=place)

    def _hint(self, name: str, names: frozenset[str], step: Step) -> str:
        """Return a hint for an unknown variable: the step that has it, a similar name, or the way to set it."""
        owner = self.owner_of(name, step)
        if owner is not None:
            return (
                f"it is a variable of '{owner.name}', whose scope is not seen from here: "
                f'add <input name="{name}"/> or useParentScope="true"'
            )
        return (
            near_hint(name, names - ENGINE_VARIABLES)
            or "declare it as an <input> of the task or set it in an earlier step"
        )


def _sets_any(step: Step) -> bool:
    """Return whether a template of the step may set variables whose names are known only at run time."""
    return any(getattr(script, "sets_any", False) for script in scripts_of(step))


def own_names(step: Step, *, with_inputs: bool = True) -> Iterator[str]:
    """Yield the names of the variables that may be set in the scope of a step, with or without its inputs."""
    if with_inputs:
        for item in step.inputs:
            yield item.name
    yield from step.stores()
    for script in scripts_of(step):
        yield from script.stores
    for decorator in step.decorators:
        yield from decorator.stores()
        for script in scripts_of(decorator):
            if decorator.rank <= CALL_RANK:
                yield from script.stores
    for output in step.outputs:
        if output.source is not None:
            yield from output.source.stores
    yield from _names_from_children(step)


def _names_from_children(step: Step) -> Iterator[str]:
    """Yield the names of the variables that the steps inside a step set in its scope, such as their outputs."""
    for child in step.children():
        for output in child.outputs:
            if not output.to_task_scope:
                yield output.variable
        if child.next_on_error:
            yield child.error_name
