"""Lookup of the files, Python functions and types that the tags of a flow use.

Rules: an ``.xlib`` file is searched like any other file of the flow and may extend others. Any other name of a library
means the first of these that exists: an ``<import>`` of the flow, ``python:package.module`` (if the allow list permits
it), Python functions given to the TaskManager, or Python functions that an installed package registers as tags.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskrun.core.beans import Imports
from taskrun.core.workers import Threads, run_in
from taskrun.errors import PluginError
from taskrun.plugins import entry_points
from taskrun.syntax.delta.extend import Sources, language_of, load_and_extend
from taskrun.syntax.node import Node
from taskrun.value_types import type_of

GROUP = "taskrun.tags"
_MODULE = "python:"


@dataclass(frozen=True, slots=True)
class TagSettings:
    """Settings of a TaskManager for the tags of its flows.

    Attributes:
        imports: imports Python objects that the allow list permits.
        libraries: Python functions as tags, by the name of their library.
        context: returns the value of the parameter ``context`` of Python tags, given the path of the flow.
        threads: the worker threads in which Python tags without ``async`` run.
    """

    imports: Imports
    libraries: Mapping[str, Any] = field(default_factory=dict)
    context: Callable[[str], Any] | None = None
    threads: Threads = field(default_factory=Threads)


@dataclass(frozen=True, slots=True)
class TagLookup:
    """Finds tag libraries and types for one flow.

    Attributes:
        path: the path of the flow.
        sources: the files from which the flow is built.
        settings: the settings of the TaskManager for tags.
        named: the Python objects of the flow's ``<import>`` elements: dotted names by alias.
    """

    path: str
    sources: Sources
    settings: TagSettings
    named: Mapping[str, str]

    def tree(self, path: str, named_in: str) -> Node:
        """Return the tree of the file ``path``, merged with the files that it extends; it is loaded once.

        ``named_in`` is the file that contains the path. Raises LookupError if the file does not exist and FlowError if
        it has problems.
        """
        file = self.sources.files.resolve(path, named_in)
        trees = self.sources.trees
        if file.path not in trees:
            trees[file.path] = load_and_extend(file.paths[-1], self.sources.for_tag_library())
        return trees[file.path]

    def functions(self, name: str) -> Mapping[str, Callable[..., Any]] | None:
        """Return the Python functions of the tag library ``name``, or None if there is no such library.

        Raises PluginError if they cannot be loaded.
        """
        if name in self.named:
            return public_functions(self.settings.imports.get(self.named[name]))
        if name.startswith(_MODULE):
            return public_functions(self.settings.imports.module(name.removeprefix(_MODULE)))
        if name in self.settings.libraries:
            return public_functions(self.settings.libraries[name])
        for entry in entry_points(group=GROUP, name=name):
            try:
                return public_functions(entry.load())
            except Exception as error:
                raise PluginError(f"the tags '{name}' ({entry.value}) cannot be loaded: {error}") from error
        return None

    def converter(self, name: str) -> Callable[[Any], Any] | None:
        """Return the function that converts values to the type ``name``, or None if there is no such type."""
        found = type_of(name)
        return found.convert if found is not None else None

    def language(self, root: Node) -> str:
        """Return the dialect of the scripts of a file, given its root; the default is ``python``."""
        return language_of(root) or "python"

    def run_in_thread(self, function: Callable[[], Any]) -> Awaitable[Any]:
        """Return an awaitable that runs a function in a worker thread, which is abandoned if the run is cancelled."""
        return run_in(self.settings.threads, function)

    def tag_context(self) -> Any:
        """Return the value of the parameter ``context`` of Python tags, or None if the settings provide none.

        It tells a tag function the folder of the flow and the folders that tags may use.
        """
        make = self.settings.context
        return make(self.path) if make is not None else None


def public_functions(owner: Any) -> Mapping[str, Callable[..., Any]]:
    """Return the public functions of a module, an object or a mapping by name; they become the tags of a library.

    The public functions are those in ``__all__`` or, without it, those whose names do not begin with ``_``. Functions
    that a module imports from other modules are left out. If ``owner`` is a mapping, a copy of it is returned; if it is
    a function, only this function.
    """
    if isinstance(owner, Mapping):
        return dict(owner)
    if inspect.isroutine(owner):
        return {owner.__name__: owner}
    names = getattr(owner, "__all__", None) or [name for name in dir(owner) if not name.startswith("_")]
    found = {name: getattr(owner, name) for name in names}
    own = owner.__name__ if inspect.ismodule(owner) else None
    return {
        name: value
        for name, value in found.items()
        if inspect.isroutine(value) and (own is None or getattr(value, "__module__", None) == own)
    }
