"""``<c:import>``: the imports at the beginning of a body.

    <c:import from="/shop/tags.xlib" as="shop"/>     a tag library
    <c:import class="shop.orders:Order" as="Order"/> a Python object for the scripts of this body

Rules: a Python object can be imported only if the allow list of the flow permits it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taskrun.errors import PluginError
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler


def apply_import(compiler: Compiler, node: Node) -> Compiler:
    """Execute a ``<c:import>``: return a copy of the compiler that also knows its tag library or Python object.

    Problems of the import are reported.
    """
    compiler.check_attributes(node, "from", "class", "as", xpl=False)
    compiler.check_empty(node)
    origin, name = node.attributes.get("from"), node.attributes.get("class")
    if (origin is None) == (name is None):
        message = "<c:import> needs either from (a tag library) or class (a Python object)"
        compiler.report(node, "missing-attribute", message)
        return compiler
    if not (given := node.attributes.get("as", "a")).replace("-", "_").isidentifier():
        compiler.report(node, "bad-value", f"as='{given}' is not a valid name", attribute="as")
    if name is not None:
        return _with_object(compiler, node, name)
    library = compiler.libraries.find_or_report(compiler, node, "from", origin or "", needed=True)
    if library is None:
        return compiler
    return replace(compiler, prefixes={**compiler.prefixes, node.attributes.get("as", library.prefix): library})


def _with_object(compiler: Compiler, node: Node, name: str) -> Compiler:
    """Return a copy of the compiler whose scripts can also read the Python object of a ``<c:import>``.

    ``name`` is the attribute ``class``, such as ``shop.orders:Order``. If the object cannot be imported, report that.
    """
    settings = compiler.settings
    try:
        if settings.imports is None:
            raise PluginError("scripts cannot import anything here")  # noqa: TRY301 - one way out
        value = settings.imports(name)
    except PluginError as error:
        compiler.report(node, "unknown-class", str(error), attribute="class")
        return compiler
    alias = node.attributes.get("as") or name.replace(":", ".").rpartition(".")[2]
    functions = {**settings.functions, alias: value}
    return replace(compiler, settings=replace(settings, functions=functions))
