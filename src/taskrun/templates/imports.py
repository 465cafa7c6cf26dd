"""``c:import``: what a body may begin with.

    <c:import from="/shop/tags.xlib" as="shop"/>     a library of tags
    <c:import class="shop.orders:Order" as="Order"/> a Python object for the scripts of this body

Rules: the allow list of the flow decides about Python objects.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taskrun.errors import PluginError
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler


def imported(compiler: Compiler, node: Node) -> Compiler:
    """Return the compiler with what a ``<c:import>`` adds: a library of tags, or a Python object for scripts."""
    compiler.only(node, "from", "class", "as", xpl=False)
    compiler.empty(node)
    origin, name = node.attributes.get("from"), node.attributes.get("class")
    if (origin is None) == (name is None):
        compiler.note(node, "missing-attribute", "<c:import> needs from (a library of tags) or class (a Python object)")
        return compiler
    if not (given := node.attributes.get("as", "a")).replace("-", "_").isidentifier():
        compiler.note(node, "bad-value", f"as='{given}' is no name", attribute="as")
    if name is not None:
        return _with_object(compiler, node, name)
    library = compiler.libraries.named(compiler, node, "from", origin or "", needed=True)
    if library is None:
        return compiler
    return replace(compiler, prefixes={**compiler.prefixes, node.attributes.get("as", library.prefix): library})


def _with_object(compiler: Compiler, node: Node, name: str) -> Compiler:
    settings = compiler.settings
    try:
        if settings.imports is None:
            raise PluginError("scripts import nothing here")  # noqa: TRY301 - one way out
        value = settings.imports(name)
    except PluginError as error:
        compiler.note(node, "unknown-class", str(error), attribute="class")
        return compiler
    alias = node.attributes.get("as") or name.replace(":", ".").rpartition(".")[2]
    functions = {**settings.functions, alias: value}
    return replace(compiler, settings=replace(settings, functions=functions))
