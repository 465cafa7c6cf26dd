"""Stage ``link``: check what a flow names outside its own file: beans, functions, other flows.

Rules: each step and each decorator checks the names that it uses (methods ``link``). The flows that a flow calls are
checked too, each once. Tasks may call each other, if something can end the recursion. A cycle of calls that nothing can
skip is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from taskrun.core.flow import Flow
from taskrun.core.link_context import LinkContext
from taskrun.core.services import Services
from taskrun.core.step import Step, walk
from taskrun.errors import Diagnostic, PluginError
from taskrun.model.variables import CALL_RANK, Variables

Call: TypeAlias = "tuple[Step, Flow]"
"""A step and the flow that it calls."""


def find_problems(flow: Flow, services: Services) -> Iterator[Diagnostic]:
    """Yield the problems of everything that a flow, or a flow that it calls, names outside its own file."""
    calls: dict[str, list[Call]] = {}
    waiting = [flow]
    while waiting:
        current = waiting.pop()
        if current.path in calls:
            continue
        found: list[Call] = []
        yield from _problems_of_flow(current, services, found)
        waiting.extend(callee for _, callee in found)
        always = {id(step) for step in _always_run(current.model)}
        calls[current.path] = [call for call in found if id(call[0]) in always]
    yield from _endless_calls(flow.path, calls)


def _problems_of_flow(flow: Flow, services: Services, calls: list[Call]) -> Iterator[Diagnostic]:
    """Yield the problems of one flow, and append each call of another flow to the list ``calls``."""
    context = LinkContext(services=services, flow=flow, add_call=lambda *call: calls.append(call))
    if flow.variables.closed:
        context = replace(context, variables=flow.variables)
    else:  # now that the beans are known, the variables that they set are known too
        variables = Variables(flow.model, context)
        context = replace(context, variables=variables)
        yield from variables.find_problems()
    for definition in flow.header.definitions:
        try:
            services.imports.get(definition.class_)
        except PluginError as error:
            yield definition.node.problem("unknown-class", str(error), attribute="class")
    for step in walk(flow.model):
        yield from step.link(context)
        for decorator in step.decorators:
            for part in decorator.traits.parts(decorator, step):
                yield from part.link(context, step)


def _always_run(step: Step) -> Iterator[Step]:
    """Yield ``step`` and the steps inside it that run whenever it runs and nothing fails.

    No condition can skip them.
    """
    yield step
    if not step.traits.runs_all_children:
        return
    for child in step.children():
        if (
            any(decorator.rank > CALL_RANK for decorator in child.decorators)
            or child.traits.always_leaves
            or child.next
        ):
            return
        yield from _always_run(child)


def _endless_calls(path: str, calls: Mapping[str, list[Call]], chain: tuple[str, ...] = ()) -> Iterator[Diagnostic]:
    """Yield an error for each call that closes a cycle.

    ``calls`` are, by file, the calls that nothing can skip. ``chain`` are the files from the start to the caller.
    """
    chain = (*chain, path)
    for step, callee in calls.get(path, ()):
        if callee.path in chain:
            cycle = " → ".join((*chain[chain.index(callee.path) :], callee.path))
            text = f"these tasks call each other without end: {cycle}"
            yield step.node.problem("endless-calls", text, hint="put the call into an <if>, or give it a <when>")
        else:
            yield from _endless_calls(callee.path, calls, chain)
