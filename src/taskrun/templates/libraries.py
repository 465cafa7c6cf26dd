"""Libraries of tags, as templates see them.

    xmlns:shop="/shop/shop.xlib"     a file
    xmlns:files="files"              Python functions: of a package, or of an <import as="files" …/>

Rules: a library is loaded once per flow. What finds files, types and Python functions is the owner's affair: the ``Finder``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from taskrun.errors import FlowError, PluginError
from taskrun.syntax.node import Node
from taskrun.templates.closures import nothing

if TYPE_CHECKING:
    from taskrun.script.settings import ScriptSettings
    from taskrun.templates.closures import Piece
    from taskrun.templates.compile import Compiler

SUFFIX = ".xlib"
SHIPPED: Mapping[str, str] = MappingProxyType({"task": "/tags/task.xlib"})
"""The prefixes that need no declaration, with their libraries."""


class Library(Protocol):
    """A set of tags with a prefix."""

    @property
    def prefix(self) -> str:
        """The prefix that stands for it where none is given."""

    def call(self, compiler: Compiler, node: Node, name: str) -> Piece:
        """Return the piece for a call of one of its tags."""

    def has(self, name: str) -> bool:
        """Whether there is a tag of that name."""


class Broken(NamedTuple):
    """Stands for a library that is wrong, which has been said, so that its calls need not be called unknown."""

    prefix: str

    def call(self, _compiler: Compiler, _node: Node, _name: str) -> Piece:
        """Return a piece that does nothing."""
        return nothing

    def has(self, _name: str) -> bool:
        """There is no tag."""
        return False


class Finder(Protocol):
    """What libraries are found with."""

    def tree(self, path: str, said_in: str) -> Node:
        """Return the tree of a file, with what it extends; raises FlowError or LookupError."""

    def functions(self, name: str) -> Mapping[str, Callable[..., Any]] | None:
        """Return the Python functions that a name stands for as tags, None when there are none; raises PluginError."""

    def converter(self, name: str) -> Callable[[Any], Any] | None:
        """Return the conversion to a type of the language, None when there is no such type."""

    def language(self, root: Node) -> str:
        """Return the dialect of the scripts of a file."""

    def run(self, function: Callable[[], Any]) -> Any:
        """Return an awaitable that runs a plain function where it blocks nobody."""

    def given(self, name: str) -> Any:
        """Return what a Python tag gets for a parameter that is not an attribute, such as ``context``, or None."""


@dataclass(slots=True)
class Libraries:
    """The libraries of one flow, each loaded when it is first named."""

    finder: Finder
    settings: ScriptSettings
    known: dict[str, Library] = field(default_factory=dict)

    def converter(self, name: str) -> Callable[[Any], Any] | None:
        """Return the conversion to a type of the language, None when there is no such type."""
        return self.finder.converter(name)

    def named(self, compiler: Compiler, node: Node, attribute: str, path: str, *, needed: bool) -> Library | None:
        """Return the library that an attribute names; what is wrong is noted, None when it names none."""
        try:
            return self.find(path, node.attribute_at(attribute).path, needed=needed)
        except LookupError as error:
            hint = getattr(error, "hint", "")
            compiler.note(node, "no-library", f"the tag library {error}", hint=hint, attribute=attribute)
        except PluginError as error:
            compiler.note(node, "no-library", str(error), attribute=attribute)
        except FlowError as error:
            compiler.found.note(error.diagnostics)
        return Broken(path.rpartition("/")[2].removesuffix(SUFFIX))

    def find(self, path: str, said_in: str, *, needed: bool = True) -> Library | None:
        """Return the library of a path or a name, None when it is neither and not ``needed``.

        Raises LookupError when there is no such file, FlowError when it is wrong, PluginError likewise for functions.
        """
        from taskrun.templates.python_tags import PythonLibrary
        from taskrun.templates.tag_library import TagLibrary

        if path.endswith(SUFFIX):
            root = self.finder.tree(path, said_in)
            if root.source.path not in self.known:
                library = TagLibrary(root, self)
                self.known[root.source.path] = library
                library.check()
            return self.known[root.source.path]
        if path not in self.known:
            functions = self.finder.functions(path)
            if functions is None:
                if needed:
                    raise PluginError(f"'{path}' is no .xlib file, no <import> and no installed library of tags")
                return None
            self.known[path] = PythonLibrary(path, functions, self.finder)
        return self.known[path]

    def shipped(self, prefix: str) -> Library | None:
        """Return the library of a prefix that needs no declaration, None for other prefixes."""
        path = SHIPPED.get(prefix)
        return self.find(path, "") if path is not None else None

    def included(self, node: Node, attribute: str) -> Node:
        """Return the root of the file that an attribute names; raises FlowError."""
        from taskrun.errors import BindError

        try:
            return self.finder.tree(node.attributes[attribute], node.attribute_at(attribute).path)
        except LookupError as error:
            hint = getattr(error, "hint", "")
            raise BindError([node.problem("no-file", str(error), hint=hint, attribute=attribute)]) from None
