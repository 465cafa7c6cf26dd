"""Compile and evaluate templates: the functions by which the rest of taskrun uses this package.

Rules: a compiled template is a ``Script`` like any other, with the names that it reads and assigns. One budget covers
the whole evaluation; each script in the template has a budget of its own, too. A template that awaits is allowed only
where a script that awaits is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError
from taskrun.script.compiled_script import Script
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node
from taskrun.templates.analysis import TemplateFacts
from taskrun.templates.closures import (
    NO_VALUE,
    Environment,
    TemplateNode,
    TemplateVariables,
    run_body,
    run_synchronously,
)
from taskrun.templates.compile import Compiler
from taskrun.templates.conditions import compile_conditions, has_conditions
from taskrun.templates.libraries import Libraries, Library
from taskrun.templates.output import MODES, TemplateOutput

if TYPE_CHECKING:
    from taskrun.templates.tag_library import Tag


def compile_template_body(
    node: Node,
    *,
    language: str,
    settings: ScriptSettings,
    libraries: Libraries,
    prefixes: Mapping[str, Library],
    awaits: bool = False,
) -> Script:
    """Compile the content of an element as a template; return it as a Script, or raise BindError with all problems.

    ``language`` is the dialect of its scripts, ``settings`` are their settings. ``libraries`` are the tag libraries of
    the flow, ``prefixes`` those that are declared with a prefix. ``awaits`` allows tags and scripts that have to be
    awaited; if the template has one, ``run`` of the Script returns an awaitable.
    """
    facts = TemplateFacts()
    mode = node.attributes.get("xpl:outputMode", "none")
    if mode not in MODES:
        hint = "one of " + ", ".join(MODES)
        raise BindError([node.problem("bad-value", f"xpl:outputMode='{mode}'", hint=hint, attribute="xpl:outputMode")])
    compiler = Compiler(settings, language, mode, libraries, prefixes, facts)
    compiled = compile_conditions(compiler, node) if has_conditions(node) else compiler.source(node)
    if facts.needs_await() and not awaits and not facts.problems:
        message = f"a tag in <{node.tag}> has to be awaited, and <{node.tag}> cannot await"
        hint = "tags of Python functions and 'await' are possible in the source of a step"
        facts.problems.append(node.problem("unsupported", message, hint=hint))
    if facts.problems:
        raise BindError(dict.fromkeys(facts.problems))

    suspends = facts.needs_await()

    async def run(scope: Names) -> Any:
        return await evaluate_template(compiled, scope, mode, settings)

    return Script(
        text=node.text,
        node=node,
        attribute=None,
        run=run if suspends else lambda scope: run_synchronously(run(scope)),
        reads=frozenset(facts.reads - facts.bound - facts.stores),
        stores=frozenset(facts.stores | facts.bound),
        uses=frozenset(facts.uses),
        suspends=suspends,
        closed=False,
        template=True,
        sets_any=facts.sets_dynamic_names(),
        inner=tuple(facts.scripts),
    )


async def evaluate_template(compiled: TemplateNode, scope: Names, mode: str, settings: ScriptSettings) -> Any:
    """Run a compiled template and return its value if the output mode ``mode`` is ``none``, else its output.

    The value is None if nothing in the template has a value.
    """
    out, budget = TemplateOutput(mode), Budget(settings.limits)
    budget.begin()
    try:
        value = await run_body(compiled, Environment(scope, out, budget))
    finally:
        budget.end()
    if mode != "none":
        return out.result()
    return None if value is NO_VALUE else value


def expand_macro(body: TemplateNode, tag: Tag, values: Mapping[str, Any], compiler: Compiler) -> Sequence[Node]:
    """Run the macro ``tag`` and return the elements that it outputs; raises BindError if it fails.

    ``body`` is its compiled body, ``values`` are the variables of the body: the attributes and slots of the call.
    """
    return _evaluate_elements(body, TemplateVariables(dict(values)), compiler.settings, tag.node)


def generate_elements(
    section: Node,
    values: Mapping[str, Any],
    *,
    language: str,
    settings: ScriptSettings,
    libraries: Libraries,
    prefixes: Mapping[str, Library],
) -> Sequence[Node]:
    """Compile and run a section of a flow, such as ``x:gen-extends``, and return the elements that it outputs.

    ``values`` are the variables that it can read. Raises BindError if the section has problems or fails.
    """
    facts = TemplateFacts()
    compiled = Compiler(settings, language, "node", libraries, prefixes, facts).source(section)
    for name in sorted(facts.reads - facts.bound - facts.stores - values.keys()):
        facts.problems.append(
            section.problem("unknown-variable", f"<{section.tag}> reads '{name}', which does not exist here")
        )
    if facts.problems:
        raise BindError(dict.fromkeys(facts.problems))
    return _evaluate_elements(compiled, TemplateVariables(dict(values)), settings, section)


def evaluate_constants(compiler: Compiler, sections: Sequence[Node]) -> dict[str, Any]:
    """Return the variables that the ``<c:var>`` elements of the sections ``x:config`` set, by name.

    All scripts of the flow can read them. Problems are reported to ``compiler``; the result is then empty or
    incomplete.
    """
    scope = TemplateVariables({})
    for section in sections:
        nodes = [node for node in section.children if node.tag != "c:import"]
        for node in nodes:
            if node.tag != "c:var":
                hint = "it can contain <c:import> and <c:var>"
                compiler.report(node, "unknown-tag", f"<{node.tag}> is not known in <{section.tag}>", hint=hint)
                return {}
            compiled = compiler.element(node)
            if compiler.facts.problems:
                return {}
            try:
                run_synchronously(evaluate_template(compiled, scope, "none", compiler.settings))
            except Exception as error:  # noqa: BLE001 - the author's script may raise anything
                compiler.report(node, "generator-failed", f"<{section.tag}> failed: {type(error).__name__}: {error}")
    return {name: scope[name] for name in scope.names()}


def call_generator_tag(
    library: Any, name: str, node: Node, values: Mapping[str, Any], settings: ScriptSettings
) -> Sequence[Node]:
    """Run the generator tag ``name`` of a library for the custom step ``node``; return the elements that it outputs.

    ``values`` are the variables that the tag can read. Raises BindError if the tag has problems or fails.
    """
    from taskrun.templates.tag_call import compile_tag_body

    tag = replace(library.known[name], mode="node")
    own = dict.fromkeys(item.variable for item in tag.attributes.values())
    compiled, facts = compile_tag_body(library, tag, values)
    if facts.problems:
        raise BindError(dict.fromkeys(facts.problems))
    return _evaluate_elements(compiled, TemplateVariables({**own, **values}), settings, node)


def _evaluate_elements(
    compiled: TemplateNode, scope: TemplateVariables, settings: ScriptSettings, where: Node
) -> Sequence[Node]:
    """Run a template at compile time and return the elements that it outputs.

    Raises BindError at the element ``where`` if it fails.
    """
    from taskrun.templates.element import node_of

    try:
        made = run_synchronously(evaluate_template(compiled, scope, "node", settings))
    except BindError:
        raise
    except Exception as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        message = f"<{where.tag}> failed: {type(error).__name__}: {error}"
        raise BindError([where.problem("generator-failed", message, hint=notes)]) from error
    return [node_of(item) for item in made] if isinstance(made, list) else ()
