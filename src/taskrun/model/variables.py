"""Table of the variables that each step of a flow can read, as far as the file determines them.

Rules: a step reads its own scope, then that of the task (with ``useParentScope`` that of the enclosing step first). The
order of steps is ignored: a variable that any step may set counts as set, so that a correct flow never has errors. A
task without declared inputs accepts any inputs, so its variables are not known.
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
"""The rank at which a step is called: decorators of a greater rank are outside the call, in the scope of the caller."""

ENGINE_VARIABLES = frozenset(
    {
        "RESULT", "STEP_RESULT", "STEP_RESULTS", "ERROR", "attempt", "history", "exception", "stepRt", "taskRt",
        "taskStepRt", "svcCtx", "aggResults", "inject", "decoratorModel", "step",
    }
)  # fmt: skip
"""The names of the variables that the engine sets in some scopes, such as ``RESULT`` and ``ERROR``."""


class Variables:
    """Table of the variables that each step of a flow can read.

    ``closed`` is True if the file determines all variables of the flow. If it is False, the methods return None.
    """

    def __init__(self, root: Step, context: LinkContext | None = None) -> None:
        """Compute the table of the variables that each step of a flow can read; ``root`` is its root step.

        With ``context``, the beans are known, and so are the variables that steps set because of their beans.
        """
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
        """Return the names of the variables that scripts of the step can read, None if the table is not ``closed``."""
        if not self.closed:
            return None
        names = self._own[id(step.node)]
        while step.use_parent_scope:  # the root has no parent and no such attribute
            step = self._parents[id(step.node)]
            names = names | self._own[id(step.node)]
        return names | self.task

    def before(self, step: Step) -> frozenset[str] | None:
        """Return the names of the variables that the inputs of the step can read, None if they are not known.

        Inputs are evaluated in the scope of the caller, so the step's own variables are not among them.
        """
        if id(step.node) not in self._own:
            return None  # the step is part of a library that is called from this flow
        parent = self._parents.get(id(step.node))
        return self.inside(parent if parent is not None else self.root)

    def owner_of(self, name: str, step: Step) -> Step | None:
        """Return the innermost step around ``step`` that has the variable in its own scope, None if none has."""
        current = self._parents.get(id(step.node))
        while current is not None:
            if name in self._own[id(current.node)]:
                return current
            current = self._parents.get(id(current.node))
        return None

    def find_problems(self) -> Iterator[Diagnostic]:
        """Yield an error for each read of a variable that nothing sets; no errors if the table is not ``closed``."""
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
        """Yield the errors of one input of a step; ``names`` are the variables that the input can read."""
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
        """Yield an error for each variable that a script reads and that is not in ``names``, the readable variables."""
        if script is None:
            return
        for name in sorted(script.reads - names):
            reader = script.reader(name) if isinstance(script, Script) else script
            found = re.search(rf"(?<![\w.'\"]){re.escape(name)}\b", reader.text)
            place = reader.node.character_at(found.start() if found else 0, reader.attribute)
            hint = self._hint(name, names, step)
            yield reader.node.problem("unknown-variable", f"unknown variable '{name}'", hint=hint, at=place)

    def _hint(self, name: str, names: frozenset[str], step: Step) -> str:
        """Return a hint for the error about an unknown variable ``name``.

        It names the step that has the variable, or a variable of a similar name, or tells how to set one.
        """
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
    """Return whether a template in the step may set variables whose names only a run can tell."""
    return any(getattr(script, "sets_any", False) for script in scripts_of(step))


def own_names(step: Step, *, with_inputs: bool = True) -> Iterator[str]:
    """Yield the names of the variables that may be set in the step's own scope.

    ``with_inputs=False`` leaves out those that are set because they are inputs.
    """
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
    """Yield the names of the variables that inner steps set in the scope of ``step``: outputs and error names."""
    for child in step.children():
        for output in child.outputs:
            if not output.to_task_scope:
                yield output.variable
        if child.next_on_error:
            yield child.error_name
