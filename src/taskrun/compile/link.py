"""Check what a flow names outside itself, before it runs: beans, functions, other files.

Rules: every step and decorator says itself what it needs (``check``). The files that a flow calls are checked too, each
once. Tasks may call each other, but not so that nothing can ever stop them: calls that always happen must not lead
back to where they came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from taskrun.compile.variables import CALL_RANK, Variables
from taskrun.core.flow import Flow
from taskrun.core.link_context import VariableTable
from taskrun.core.services import Host
from taskrun.core.step import Step, walk
from taskrun.errors import Diagnostic, PluginError

Call: TypeAlias = "tuple[Step, Flow]"


def find_problems(flow: Flow, host: Host) -> Iterator[Diagnostic]:
    """Yield each problem with what the flow, and each flow that it calls, names outside its file."""
    calls: dict[str, list[Call]] = {}
    waiting = [flow]
    while waiting:
        current = waiting.pop()
        if current.path in calls:
            continue
        made = calls[current.path] = []
        variables: VariableTable = current.variables if current.variables.closed else Variables(current.model, host)
        checking = replace(host, flow=current, variables=variables, called=lambda *call: made.append(call))  # noqa: B023
        yield from _problems(current, checking, variables)
        waiting.extend(callee for _, callee in made)
        surely = {id(step) for step in _always_run(current.model)}
        calls[current.path] = [call for call in made if id(call[0]) in surely]
    yield from _endless(flow.path, calls)


def _always_run(step: Step) -> Iterator[Step]:
    """Yield the steps that run whenever ``step`` does and nothing fails."""
    yield step
    if not step.runs_all:
        return
    for child in step.children():
        if any(decorator.rank > CALL_RANK for decorator in child.decorators) or child.always_leaves or child.next:
            return
        yield from _always_run(child)


def _endless(path: str, calls: Mapping[str, list[Call]], chain: tuple[str, ...] = ()) -> Iterator[Diagnostic]:
    """Yield an error for each call that closes a circle of calls which always happen."""
    chain = (*chain, path)
    for step, callee in calls.get(path, ()):
        if callee.path in chain:
            circle = " → ".join((*chain[chain.index(callee.path) :], callee.path))
            text = f"these tasks call each other without end: {circle}"
            yield step.node.problem("endless-calls", text, hint="put the call into an <if>, or give it a <when>")
        else:
            yield from _endless(callee.path, calls, chain)


def _problems(flow: Flow, host: Host, variables: VariableTable) -> Iterator[Diagnostic]:
    if variables is not flow.variables:
        yield from variables.find_problems()  # what beans provide is known by now
    for definition in flow.header.definitions:
        try:
            host.imports.get(definition.class_)
        except PluginError as error:
            yield definition.node.problem("unknown-class", str(error), attribute="class")
    for step in walk(flow.model):
        yield from step.check(host)
        for decorator in step.decorators:
            for part in decorator.parts(step):
                yield from part.check(host, step)
