"""Tag libraries of a flow, by path, name and prefix.

    xmlns:shop="/shop/shop.xlib"     a file
    xmlns:files="files"              Python functions: of a package, or of an <import as="files" …/>

Rules: each library is loaded once per flow, when it is first used. ``TagLookup`` finds the files, types and Python functions.
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
    """Protocol of a tag library: a set of tags that can compile their calls."""

    @property
    def prefix(self) -> str:
        """The prefix of the library's tags where the flow declares no prefix."""

    def call(self, compiler: Compiler, node: Node, name: str) -> TemplateNode:
        """Compile the element ``node`` as a call of the tag ``name``."""

    def has(self, name: str) -> bool:
        """Return whether the library has a tag with the name."""


class BrokenLibrary(NamedTuple):
    """Placeholder for a library that could not be loaded: calls of its tags are accepted, because its error was reported."""

    prefix: str

    def call(self, _compiler: Compiler, _node: Node, _name: str) -> TemplateNode:
        """Return a template node that does nothing."""
        return no_op

    def has(self, _name: str) -> bool:
        """Return False, because the tags of a library that could not be loaded are unknown."""
        return False


@dataclass(slots=True)
class Libraries:
    """The tag libraries of one flow; each is loaded on first use."""

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

        If it cannot be loaded, report that and return a BrokenLibrary. If it does not exist and is not ``needed``,
        return None.
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
        """Return the library with a path or a name, or None if there is none and it is not ``needed``.

        ``named_in`` is the file that contains the path. Raises LookupError if the file does not exist, FlowError if it has
        problems, PluginError if the Python functions cannot be loaded.
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
        """Return the library of a prefix that needs no declaration, or None if ``prefix`` must be declared."""
        path = BUILT_IN.get(prefix)
        return self.find(path, "") if path is not None else None

    def include(self, node: Node, attribute: str) -> Node:
        """Return the root of the file that an attribute names; raises FlowError if it does not exist or has problems."""
        try:
            return self.lookup.tree(node.attributes[attribute], node.attribute_at(attribute).path)
        except LookupError as error:
            hint = getattr(error, "hint", "")
            raise BindError([node.problem("no-file", str(error), hint=hint, attribute=attribute)]) from None
