"""The door to templates: a body with child elements becomes a Script like any other.

Rules: what a template reads and assigns is known as of every script; its budget is one for all of it, besides those of the scripts
in it. A template that waits is possible where a script that awaits is.
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
from taskrun.templates.analysis import Found
from taskrun.templates.closures import NOTHING, Environment, Piece, Variables, at_once, finished
from taskrun.templates.compile import Compiler
from taskrun.templates.filters import filter_of, is_filter
from taskrun.templates.libraries import Libraries, Library
from taskrun.templates.output import MODES, Output

if TYPE_CHECKING:
    from taskrun.templates.tag_library import Tag


def compile_markup(
    node: Node,
    *,
    language: str,
    settings: ScriptSettings,
    libraries: Libraries,
    prefixes: Mapping[str, Library],
    awaits: bool = False,
) -> Script:
    """Return the template that an element holds; raises BindError with everything that is wrong with it."""
    found = Found()
    mode = node.attributes.get("xpl:outputMode", "none")
    if mode not in MODES:
        hint = "one of " + ", ".join(MODES)
        raise BindError([node.problem("bad-value", f"xpl:outputMode='{mode}'", hint=hint, attribute="xpl:outputMode")])
    compiler = Compiler(settings, language, mode, libraries, prefixes, found)
    piece = filter_of(compiler, node) if is_filter(node) else compiler.source(node)
    if found.waits() and not awaits and not found.problems:
        message = f"<{node.tag}> cannot wait, and a tag in it does"
        hint = "tags of Python functions and 'await' are possible in the source of a step"
        found.problems.append(node.problem("unsupported", message, hint=hint))
    if found.problems:
        raise BindError(dict.fromkeys(found.problems))

    suspends = found.waits()

    async def run(scope: Names) -> Any:
        return await evaluated(piece, scope, mode, settings)

    return Script(
        text=node.text,
        node=node,
        attribute=None,
        run=run if suspends else lambda scope: at_once(run(scope)),
        reads=frozenset(found.reads - found.bound - found.stores),
        stores=frozenset(found.stores | found.bound),
        uses=frozenset(found.uses),
        suspends=suspends,
        closed=False,
        template=True,
        sets_any=found.sets(),
        inner=tuple(found.scripts),
    )


async def evaluated(piece: Piece, scope: Names, mode: str, settings: ScriptSettings) -> Any:
    """Return the value of a template, or what it puts out."""
    out, budget = Output(mode), Budget(settings.limits)
    budget.begin()
    try:
        value = await finished(piece, Environment(scope, out, budget))
    finally:
        budget.end()
    if mode != "none":
        return out.result()
    return None if value is NOTHING else value


def run_macro(piece: Piece, tag: Tag, values: Mapping[str, Any], compiler: Compiler) -> Sequence[Node]:
    """Return the elements that a macro makes."""
    return _made(piece, Variables(dict(values)), compiler.settings, tag.node)


def generated(
    section: Node,
    values: Mapping[str, Any],
    *,
    language: str,
    settings: ScriptSettings,
    libraries: Libraries,
    prefixes: Mapping[str, Library],
) -> Sequence[Node]:
    """Return the elements that a section such as ``x:gen-extends`` makes; raises BindError for what is wrong with it."""
    found = Found()
    piece = Compiler(settings, language, "node", libraries, prefixes, found).source(section)
    for name in sorted(found.reads - found.bound - found.stores - values.keys()):
        found.problems.append(
            section.problem("unknown-variable", f"<{section.tag}> reads '{name}', which is not there")
        )
    if found.problems:
        raise BindError(dict.fromkeys(found.problems))
    return _made(piece, Variables(dict(values)), settings, section)


def constants(compiler: Compiler, sections: Sequence[Node]) -> dict[str, Any]:
    """Return the variables that the ``c:var`` of sections set, for all scripts of a flow."""
    scope = Variables({})
    for section in sections:
        nodes = [node for node in section.children if node.tag != "c:import"]
        for node in nodes:
            if node.tag != "c:var":
                hint = "<c:import> and <c:var> stand there"
                compiler.note(node, "unknown-tag", f"<{node.tag}> is not known in <{section.tag}>", hint=hint)
                return {}
            piece = compiler.element(node)
            if compiler.found.problems:
                return {}
            try:
                at_once(evaluated(piece, scope, "none", compiler.settings))
            except Exception as error:  # noqa: BLE001 - the author's script, whatever it raised
                compiler.note(node, "generator-failed", f"<{section.tag}> failed: {type(error).__name__}: {error}")
    return {name: scope[name] for name in scope.names()}


def tag_output(
    library: Any, name: str, node: Node, values: Mapping[str, Any], settings: ScriptSettings
) -> Sequence[Node]:
    """Return the elements that a tag of a library makes for ``node``; raises BindError."""
    from taskrun.templates.tag_call import body_of_tag

    tag = replace(library.known[name], mode="node")
    own = dict.fromkeys(item.variable for item in tag.attributes.values())
    piece, found = body_of_tag(library, tag, values)
    if found.problems:
        raise BindError(dict.fromkeys(found.problems))
    return _made(piece, Variables({**own, **values}), settings, node)


def _made(piece: Piece, scope: Variables, settings: ScriptSettings, where: Node) -> Sequence[Node]:
    from taskrun.templates.element import node_of

    try:
        made = at_once(evaluated(piece, scope, "node", settings))
    except BindError:
        raise
    except Exception as error:
        notes = "; ".join(getattr(error, "__notes__", ()))
        message = f"<{where.tag}> failed: {type(error).__name__}: {error}"
        raise BindError([where.problem("generator-failed", message, hint=notes)]) from error
    return [node_of(item) for item in made] if isinstance(made, list) else ()
