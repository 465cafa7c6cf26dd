"""Static checks of a Jinja2 template, the names that it reads, and the insertion of calls for budget and limits.

Rules: problems are found before the template runs. After the check the syntax tree is changed. Each turn of a loop then
costs a tick, the length of the result of ``~`` (concatenation) is checked, and literal text counts as output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jinja2 import Environment, nodes
from jinja2.meta import find_undeclared_variables

from taskrun.errors import near_hint
from taskrun.script.jinja.environment import CONCATENATED, TICKED
from taskrun.script.limits import Limits
from taskrun.script.problems import FORBIDDEN, SYNTAX, UNSUPPORTED

_OTHER_FILES = {
    nodes.Include: "include", nodes.Import: "import", nodes.FromImport: "from", nodes.Extends: "extends",
    nodes.Block: "block",
}.items()  # fmt: skip
_OPTIONAL_TESTS = frozenset({"defined", "undefined"})
_OPTIONAL_FILTERS = frozenset({"default", "d"})


class JinjaProblem(NamedTuple):
    """Problem of a template: its line (from 1), code such as ``script-syntax``, message and hint."""

    line: int
    code: str
    message: str
    hint: str = ""


class JinjaNames(NamedTuple):
    """Names that a template reads from its scope or namespace.

    ``optional`` are those that may be missing, because the template tests them with ``is defined`` or gives them a
    default by the filter ``default``.
    """

    names: frozenset[str]
    optional: frozenset[str]


def find_problems(tree: nodes.Template, environment: Environment, limits: Limits) -> Iterator[JinjaProblem]:
    """Yield the problems of a template other than syntax errors, such as unsupported statements and unknown filters.

    ``tree`` is its syntax tree; ``environment`` has the known filters and tests. Exceeded limits are problems, too.
    """
    for count, (node, depth) in enumerate(_walk(tree, 0), 1):
        if count > limits.source_nodes or depth > limits.source_depth:
            yield JinjaProblem(node.lineno, SYNTAX, "the template is too large or nested too deeply", "split it up")
            return
        yield from _problems_of(node, environment)


def find_names(tree: nodes.Template) -> JinjaNames:
    """Return the names that a template reads from its scope or namespace; its own variables and macros are left out."""
    names = frozenset(find_undeclared_variables(tree))
    optional = {
        node.node.name
        for node in tree.find_all((nodes.Test, nodes.Filter))
        if isinstance(node.node, nodes.Name)
        and node.name in (_OPTIONAL_TESTS if isinstance(node, nodes.Test) else _OPTIONAL_FILTERS)
    }
    return JinjaNames(names, names & optional)


def instrument(tree: nodes.Template, environment: Environment) -> nodes.Template:
    """Insert filters into a syntax tree that charge the budget for loops and output, and limit the result of ``~``.

    The tree is modified and returned.
    """
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = _filter(TICKED, loop.iter)
    for output in list(tree.find_all(nodes.Output)):
        output.nodes = [_as_expression(item) for item in output.nodes]
    _replace_concatenations(tree)
    tree.set_environment(environment)
    return tree


def _problems_of(node: nodes.Node, environment: Environment) -> Iterator[JinjaProblem]:
    """Yield the problems of one AST node of jinja2 itself; its children are not looked at."""
    for kind, word in _OTHER_FILES:
        if isinstance(node, kind):
            message = f"'{{% {word} %}}' is not supported: a template cannot use other files or blocks"
            yield JinjaProblem(node.lineno, UNSUPPORTED, message, "use a macro, or a step for each part")
    if isinstance(node, nodes.Name) and node.name == "self":
        yield JinjaProblem(node.lineno, FORBIDDEN, "the name 'self' is reserved", "choose another name")
    if isinstance(node, nodes.Filter) and node.name not in environment.filters:
        yield _unknown(node, "filter", environment.filters)
    if isinstance(node, nodes.Test) and node.name not in environment.tests:
        yield _unknown(node, "test", environment.tests)


def _unknown(node: nodes.Filter | nodes.Test, word: str, table: Mapping[str, Any]) -> JinjaProblem:
    """Return the problem of an unknown filter or test.

    ``word`` is "filter" or "test"; ``table`` has the known ones, from which the hint suggests a similar name.
    """
    hint = near_hint(node.name, table) or f"templates have no {word} of that name here"
    return JinjaProblem(node.lineno, UNSUPPORTED, f"unknown {word} '{node.name}'", hint)


def _walk(node: nodes.Node, depth: int) -> Iterator[tuple[nodes.Node, int]]:
    """Yield an AST node of jinja2 and all nodes inside it, each with its depth of nesting."""
    yield node, depth
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1)


def _as_expression(item: nodes.Expr) -> nodes.Expr:
    """Return literal text of a template as a constant expression, and any other AST node of jinja2 unchanged.

    jinja2 passes the values of expressions to the function ``_finalize`` at run time, which charges the budget.
    """
    return nodes.Const(item.data, lineno=item.lineno) if isinstance(item, nodes.TemplateData) else item


def _replace_concatenations(node: nodes.Node) -> None:
    """Replace each ``~`` inside an AST node of jinja2 by a filter that checks the length of the result."""
    for name in node.fields:
        value = getattr(node, name)
        if isinstance(value, nodes.Node):
            setattr(node, name, _without_concatenation(value))
        elif isinstance(value, list):
            value[:] = [_without_concatenation(item) if isinstance(item, nodes.Node) else item for item in value]


def _without_concatenation(node: nodes.Node) -> nodes.Node:
    """Return an AST node of jinja2 in which each ``~`` is replaced by a filter that checks the length of the result.

    If the node itself is a ``~``, the filter is returned instead of it.
    """
    _replace_concatenations(node)
    if isinstance(node, nodes.Concat):
        return _filter(CONCATENATED, nodes.List(node.nodes, lineno=node.lineno))
    return node


def _filter(name: str, value: Any) -> nodes.Filter:
    """Return an AST node of jinja2 that applies the filter ``name`` to an expression."""
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)
