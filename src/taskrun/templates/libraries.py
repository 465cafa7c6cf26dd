"""Tag libraries of a flow, by path, name and prefix.

    xmlns:shop="/shop/shop.xlib"     a file
    xmlns:files="files"              Python functions: of a package, or of an <import as="files" …/>

Rules: each library is loaded once per flow, when it is first used. ``TagLookup`` finds the files, types and Python
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from taskrun.errors import BindError, FlowError, PluginError
from taskrun.syntax.node import Node
from taskrun.templates.closures import no_op

if TYPE_CHECKING:
    from taskrun.script.settings import ScriptSettings
    from taskrun.templates.closures import TemplateNode
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_lookup import TagLookup

SUFFIX = ".xlib"
BUILT_IN: Mapping[str, str] = MappingProxyType({"task": "/tags/task.xlib"})
"""The prefixes that need no declaration, with the paths of their libraries."""


class Library(Protocol):
    """Protocol of a tag library: a set of tags. TagLibrary (a file) and PythonLibrary (functions) implement it."""

    @property
    def prefix(self) -> str:
        """The default prefix of the library's tags, for an ``xpl:lib`` or ``<c:import>`` that gives no other."""

    def call(self, compiler: Compiler, node: Node, name: str) -> TemplateNode:
        """Compile the element ``node`` as a call of the tag ``name`` and return the template node."""

    def has(self, name: str) -> bool:
        """Return whether the library has a tag with the name."""


class BrokenLibrary(NamedTuple):
    """Stand-in for a library that could not be loaded, whose error was reported.

    It accepts calls of any tag, so that they do not cause further errors.
    """

    prefix: str

    def call(self, _compiler: Compiler, _node: Node, _name: str) -> TemplateNode:
        """Return a template node that does nothing: the call is accepted without further errors."""
        return no_op

    def has(self, _name: str) -> bool:
        """Return False: it is unknown which tags a library has that could not be loaded."""
        return False


@dataclass(slots=True)
class Libraries:
    """The tag libraries of one flow; each is loaded on first use.

    ``lookup`` finds files, functions and types; ``settings`` are those of the scripts in the libraries; ``known`` are
    the loaded libraries, by path or name.
    """

    lookup: TagLookup
    settings: ScriptSettings
    known: dict[str, Library] = field(default_factory=dict)

    def converter(self, name: str) -> Callable[[Any], Any] | None:
        """Return the function that converts values to the type ``name``, or None if there is no such type."""
        return self.lookup.converter(name)

    def find_or_report(
        self, compiler: Compiler, node: Node, attribute: str, path: str, *, needed: bool
    ) -> Library | None:
        """Return the library at ``path``, which an attribute of ``node`` names.

        If it cannot be loaded, report that and return a BrokenLibrary. If ``path`` is neither an ``.xlib`` file nor the
        name of a library, and is not ``needed``, return None: an attribute ``xmlns:…`` may have nothing to do with tag
        libraries.
        """
        try:
            return self.find(path, node.attribute_at(attribute).path, needed=needed)
        except LookupError as error:
            hint = getattr(error, "hint", "")
            compiler.report(node, "no-library", f"the tag library {error}", hint=hint, attribute=attribute)
        except PluginError as error:
            compiler.report(node, "no-library", str(error), attribute=attribute)
        except FlowError as error:
            compiler.facts.add_problems(error.diagnostics)
        return BrokenLibrary(path.rpartition("/")[2].removesuffix(SUFFIX))

    def find(self, path: str, named_in: str, *, needed: bool = True) -> Library | None:
        """Return the library with the path of a file, or with the name of a set of Python functions; load it only once.

        ``named_in`` is the file that contains the path. Returns None if there is no library with this name and
        ``needed`` is False. Raises LookupError if the file does not exist, FlowError if it has problems, PluginError if
        the Python functions cannot be loaded or, with ``needed``, do not exist.
        """
        from taskrun.templates.python_tags import PythonLibrary
        from taskrun.templates.tag_library import TagLibrary

        if path.endswith(SUFFIX):
            root = self.lookup.tree(path, named_in)
            if root.source.path not in self.known:
                library = TagLibrary(root, self)
                self.known[root.source.path] = library
                library.check()
            return self.known[root.source.path]
        if path not in self.known:
            functions = self.lookup.functions(path)
            if functions is None:
                if needed:
                    raise PluginError(f"'{path}' is no .xlib file, no <import> and no installed tag library")
                return None
            self.known[path] = PythonLibrary(path, functions, self.lookup)
        return self.known[path]

    def built_in(self, prefix: str) -> Library | None:
        """Return the library of a prefix that needs no declaration, such as ``task``; None for any other prefix."""
        path = BUILT_IN.get(prefix)
        return self.find(path, "") if path is not None else None

    def include(self, node: Node, attribute: str) -> Node:
        """Return the root of the file that an attribute names; raises FlowError if it is missing or has problems."""
        try:
            return self.lookup.tree(node.attributes[attribute], node.attribute_at(attribute).path)
        except LookupError as error:
            hint = getattr(error, "hint", "")
            raise BindError([node.problem("no-file", str(error), hint=hint, attribute=attribute)]) from None
