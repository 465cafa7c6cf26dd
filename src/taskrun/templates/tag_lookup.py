"""What the templates of a flow find their tags with.

Rules: a ``.xlib`` file is looked up like any other file of the flow and may extend others. A name that is no file means, in this
order, an ``<import>`` of the flow, ``python:package.module`` (if the allow list has it), or Python functions that a package
or the TaskManager registered as tags.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskrun.core.beans import Imports
from taskrun.core.types import type_of
from taskrun.core.workers import Threads, run_in
from taskrun.errors import PluginError
from taskrun.plugins import entry_points
from taskrun.syntax.delta.extend import Sources, language_of, load_and_extend
from taskrun.syntax.node import Node

GROUP = "taskrun.tags"
_MODULE = "python:"


@dataclass(frozen=True, slots=True)
class TagSettings:
    """What a TaskManager gives to the tags of its flows.

    Parameters: ``libraries`` are Python functions by the name of their library; ``imports`` the allow list; ``context``
    returns what a function gets for its parameter ``context``, for the flow at a path.
    """

    imports: Imports
    libraries: Mapping[str, Any] = field(default_factory=dict)
    context: Callable[[str], Any] | None = None
    threads: Threads = field(default_factory=Threads)


@dataclass(frozen=True, slots=True)
class TagFinder:
    """Finds tags for one flow."""

    path: str
    sources: Sources
    settings: TagSettings
    named: Mapping[str, str]

    def tree(self, path: str, said_in: str) -> Node:
        """Return the tree of a file, with what it extends; raises FlowError or LookupError."""
        found = self.sources.files.named(path, said_in)
        trees = self.sources.trees
        if found.path not in trees:
            trees[found.path] = load_and_extend(found.paths[-1], self.sources.bare())
        return trees[found.path]

    def functions(self, name: str) -> Mapping[str, Callable[..., Any]] | None:
        """Return the Python functions that a name stands for as tags, None when there are none; raises PluginError."""
        if name in self.named:
            return functions_of(self.settings.imports.get(self.named[name]))
        if name.startswith(_MODULE):
            return functions_of(self.settings.imports.module(name.removeprefix(_MODULE)))
        if name in self.settings.libraries:
            return functions_of(self.settings.libraries[name])
        for entry in entry_points(group=GROUP, name=name):
            try:
                return functions_of(entry.load())
            except Exception as error:
                raise PluginError(f"the tags '{name}' ({entry.value}) cannot be loaded: {error}") from error
        return None

    def converter(self, name: str) -> Callable[[Any], Any] | None:
        """Return the conversion to a type of the language, None when there is no such type."""
        found = type_of(name)
        return found.convert if found is not None else None

    def language(self, root: Node) -> str:
        """Return the dialect of the scripts of a file."""
        return language_of(root) or "python"

    def run(self, function: Callable[[], Any]) -> Awaitable[Any]:
        """Run a plain function in a worker thread, which is abandoned when the run is cancelled."""
        return run_in(self.settings.threads, function)

    def given(self, name: str) -> Any:
        """Return the ``context`` of a Python tag."""
        make = self.settings.context
        return make(self.path) if make is not None and name == "context" else None


def functions_of(owner: Any) -> Mapping[str, Callable[..., Any]]:
    """Return the public functions of a module, of an object or of a mapping; a function is itself alone."""
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
