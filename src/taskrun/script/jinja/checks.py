"""What a template must not contain, what it reads, and what is put into it before it becomes code.

Rules: problems are found before anything runs. Loops are made to count, ``~`` to measure, and plain text to be counted
like every other text that is written.
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


class Found(NamedTuple):
    """A problem of a template: its line (from 1), code, message and hint."""

    line: int
    code: str
    message: str
    hint: str = ""


class Reads(NamedTuple):
    """The variables that a template reads, and those among them that it can do without."""

    names: frozenset[str]
    optional: frozenset[str]


def problems(tree: nodes.Template, environment: Environment, limits: Limits) -> Iterator[Found]:
    """Yield what is wrong with a template, besides its syntax."""
    for count, (node, depth) in enumerate(_walk(tree, 0), 1):
        if count > limits.source_nodes or depth > limits.source_depth:
            yield Found(node.lineno, SYNTAX, "the template is too large or nested too deeply", "split it up")
            return
        yield from _problems_of(node, environment)


def reads(tree: nodes.Template) -> Reads:
    """Return the variables that a template reads."""
    names = frozenset(find_undeclared_variables(tree))
    optional = {
        node.node.name
        for node in tree.find_all((nodes.Test, nodes.Filter))
        if isinstance(node.node, nodes.Name)
        and node.name in (_OPTIONAL_TESTS if isinstance(node, nodes.Test) else _OPTIONAL_FILTERS)
    }
    return Reads(names, names & optional)


def prepared(tree: nodes.Template, environment: Environment) -> nodes.Template:
    """Return the template with what counts and measures in it; the tree itself is changed."""
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = _filter(TICKED, loop.iter)
    for output in list(tree.find_all(nodes.Output)):
        output.nodes = [_counted(item) for item in output.nodes]
    _replace_concatenations(tree)
    tree.set_environment(environment)
    return tree


def _problems_of(node: nodes.Node, environment: Environment) -> Iterator[Found]:
    for kind, word in _OTHER_FILES:
        if isinstance(node, kind):
            message = f"'{{% {word} %}}' is for templates of several files, which there are none of here"
            yield Found(node.lineno, UNSUPPORTED, message, "use a macro, or a step for each part")
    if isinstance(node, nodes.Name) and node.name == "self":
        yield Found(node.lineno, FORBIDDEN, "'self' is not for templates here", "choose another name")
    if isinstance(node, nodes.Filter) and node.name not in environment.filters:
        yield _unknown(node, "filter", environment.filters)
    if isinstance(node, nodes.Test) and node.name not in environment.tests:
        yield _unknown(node, "test", environment.tests)


def _unknown(node: nodes.Filter | nodes.Test, word: str, table: Mapping[str, Any]) -> Found:
    hint = near_hint(node.name, table) or f"templates have no {word} of that name here"
    return Found(node.lineno, UNSUPPORTED, f"unknown {word} '{node.name}'", hint)


def _walk(node: nodes.Node, depth: int) -> Iterator[tuple[nodes.Node, int]]:
    yield node, depth
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1)


def _counted(item: nodes.Expr) -> nodes.Expr:
    return nodes.Const(item.data, lineno=item.lineno) if isinstance(item, nodes.TemplateData) else item


def _replace_concatenations(node: nodes.Node) -> None:
    for name in node.fields:
        value = getattr(node, name)
        if isinstance(value, nodes.Node):
            setattr(node, name, _without_concatenation(value))
        elif isinstance(value, list):
            value[:] = [_without_concatenation(item) if isinstance(item, nodes.Node) else item for item in value]


def _without_concatenation(node: nodes.Node) -> nodes.Node:
    _replace_concatenations(node)
    if isinstance(node, nodes.Concat):
        return _filter(CONCATENATED, nodes.List(node.nodes, lineno=node.lineno))
    return node


def _filter(name: str, value: Any) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)
