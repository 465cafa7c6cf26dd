"""Compile a task file into a Flow: every stage in order."""

from __future__ import annotations

from collections.abc import Callable

from taskrun.compile.analyze import analyze, report
from taskrun.compile.bind import bind
from taskrun.compile.registry import Registry
from taskrun.compile.variables import Variables
from taskrun.core.flow import Flow, Header
from taskrun.core.step import Step
from taskrun.core.weave import Program, Weaver, WeaveSettings
from taskrun.syntax.delta.extend import Sources, extend
from taskrun.syntax.node import Node
from taskrun.syntax.normalize import normalize
from taskrun.syntax.validate import violations
from taskrun.templates.flow_templates import FlowTemplates, prepared


def compile_flow(path: str, registry: Registry, sources: Sources, markup: Callable[[Node], FlowTemplates]) -> Flow:
    """Turn a task file into a runnable flow, or raise FlowError with every problem found."""
    return compile_tree(path, extend(path, sources), registry, markup)


def compile_tree(path: str, root: Node, registry: Registry, markup: Callable[[Node], FlowTemplates]) -> Flow:
    """Turn the tree of a flow that is put together into a runnable flow; raises FlowError."""
    merged, templates = prepared(root, markup)
    wrong = violations(merged, registry.schema)
    header, model = bind(normalize(merged), Header, registry, templates, wrong)
    variables = Variables(model)
    notes = report(analyze(model, variables))
    programs = programs_of(registry)
    return Flow(path=path, root=root, header=header, model=model, variables=variables, programs=programs, notes=notes)


def programs_of(registry: Registry) -> Callable[[Step, WeaveSettings], Program]:
    """Return the last two stages, which a flow runs when it is first executed in some way: weave and optimize."""
    from taskrun.optimize.optimize import optimize  # imports the classes of the steps that it knows

    weaver = Weaver(registry.implying)
    return lambda step, settings: optimize(weaver.weave(step, settings))
