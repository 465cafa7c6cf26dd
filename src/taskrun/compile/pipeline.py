"""The compile pipeline: one function that names every stage in order.

It gets the ``registry`` of step types, the ``sources`` that find and read files, and the function ``templates_of``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from taskrun.compile import analyze, link, lint
from taskrun.compile.bind import bind
from taskrun.compile.registry import Registry
from taskrun.core.flow import Flow
from taskrun.core.weave import Weaver
from taskrun.errors import AnalysisError, raise_errors
from taskrun.model.variables import Variables
from taskrun.syntax import validate
from taskrun.syntax.delta.extend import Sources, extend
from taskrun.syntax.load import parse
from taskrun.syntax.node import Node
from taskrun.syntax.normalize import normalize
from taskrun.templates.flow_templates import FlowTemplates, expand_templates

TemplatesOf: TypeAlias = Callable[[Node], FlowTemplates]
"""Function that returns the compiler for the templates of a flow, given the extended tree of the flow."""


def compile_flow(path: str, registry: Registry, sources: Sources, templates_of: TemplatesOf, text: str | None) -> Flow:
    """Compile the file at ``path``, or ``text`` in place of its content; raises FlowError with all problems of a stage."""
    from taskrun.optimize.optimize import optimize  # imports the step classes that it knows

    found = sources.files.with_layers(path)
    node = sources.files.load(found.path) if text is None else parse(path, text.encode())
    root = extend(node, found, sources) if text is None else node
    tree, templates = expand_templates(root, templates_of)
    problems = tuple(validate.find_problems(tree, registry.schema))
    kernel = normalize(tree)
    header, model = bind(kernel, registry, templates, problems)
    variables = Variables(model)
    notes = raise_errors(analyze.find_problems(model, variables), AnalysisError)
    weave = Weaver(registry.implying).weave
    return Flow(
        path=path, root=root, header=header, model=model, variables=variables,
        warnings=lambda: (*notes, *lint.find_problems(model, variables, header.reads)),
        link=link.find_problems,
        weave=lambda step, settings: optimize(weave(step, settings)),
    )  # fmt: skip
