"""FlowCache: compiles the flow files of a TaskManager and keeps the compiled flows.

Rules: a flow is compiled when it is first requested. It is compiled again when one of the files that it was built from
was changed, created or deleted; runs that have started keep the flow that they started with. A file path that begins
with ``/`` is searched in the folder of the flow, then in the search roots.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from taskrun.compile.pipeline import compile_flow
from taskrun.compile.registry import Registry
from taskrun.core.flow import Flow
from taskrun.errors import Diagnostic, ExtendError, FlowError, near_hint
from taskrun.script.script import ScriptSettings
from taskrun.source import Location
from taskrun.syntax.delta.extend import Sources, add_extends_chain, extend, load_and_extend
from taskrun.syntax.delta.layers import FOLDER, Files, LayeredFile, state_of
from taskrun.syntax.delta.origins import describe_origin
from taskrun.syntax.load import load
from taskrun.syntax.node import Node
from taskrun.syntax.schema import Schema
from taskrun.syntax.search_path import SearchPath
from taskrun.syntax.validate import cross_check
from taskrun.syntax.xml_write import write_xml
from taskrun.templates.flow_templates import FlowTemplates
from taskrun.templates.tag_lookup import TagSettings

FilePath: TypeAlias = "str | os.PathLike[str]"
FileStates: TypeAlias = "dict[str, tuple[int, ...]]"
"""File path → state of the file (``state_of``: size and times), by which a change of the file is noticed."""

_LOG = logging.getLogger("taskrun")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCache:
    """Compiles flow files and keeps the compiled flows, with the settings of one TaskManager.

    Parameters:
        registry: the table of step and decorator classes.
        scripts: function that returns the settings of scripts.
        roots: function that returns the search roots besides the flow's own folder.
        config: the configuration that ``feature:on`` and ``feature:off`` read, by name.
        layers: the names of the delta layers, the lowest first.
        tags: the settings of tag libraries.
    """

    registry: Registry
    scripts: Callable[[], ScriptSettings]
    roots: Callable[[], Sequence[str]]
    config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    tags: TagSettings
    _compiled: dict[str, tuple[FileStates, Flow]] = field(default_factory=dict, init=False)

    @property
    def schema(self) -> Schema:
        """The schema of flow files; it includes the elements of step and decorator classes from other packages."""
        return self.registry.schema

    def get(self, path: str) -> Flow:
        """Return the compiled flow of a file, from the cache if none of its files has changed; raises FlowError.

        The stage ``link`` is not run; ``TaskManager.load`` runs it.
        """
        known = self._compiled.get(path)
        if known is not None and all(state_of(file) == state for file, state in known[0].items()):
            return known[1]
        sources = self._sources(path)
        try:
            flow = compile_flow(path, self.registry, sources, partial(self._templates, sources), text=None)
        except FlowError as error:
            raise add_extends_chain(error, sources, path) from None
        self._compiled[path] = (sources.files.states, flow)
        return flow

    def compile_text(self, path: str, text: str) -> Flow:
        """Compile a text that a run has recorded, instead of what the file at ``path`` contains now; raises FlowError.

        ``text`` is the ``Flow.text`` of an earlier version of the file; the result is not cached.
        """
        sources = self._sources(path)
        return compile_flow(path, self.registry, sources, partial(self._templates, sources), text)

    def expand(self, path: FilePath, *, root: Node | None = None, custom_types: bool = True) -> Node:
        """Return the tree of a file after the stage ``extend``: merged with its bases and layers; raises FlowError.

        Parameters: ``root`` is used as the content of the file, which then need not exist. ``custom_types=False``
        leaves steps with a ``customType`` as they are instead of replacing them.
        """
        path = os.fspath(path)
        sources = self._sources(path)
        if not custom_types:
            sources = sources.for_tag_library()
        try:
            return load_and_extend(path, sources) if root is None else extend(root, LayeredFile((path,)), sources)
        except FlowError as error:
            raise add_extends_chain(error, sources, path) from None

    def cross_check(self, path: FilePath) -> list[Diagnostic]:
        """Validate a file with xmlschema, a validator that is independent of taskrun's own, and return its problems.

        Raises FlowError if the file cannot be read and merged.
        """
        return cross_check(self.expand(path), self.schema)

    def check_layers(self, path: FilePath) -> None:
        """Raise ExtendError if a delta layer of the settings has no folder in any search root of the flow."""
        path = os.fspath(path)
        folders = [os.path.join(root, FOLDER) for root in self.search_path(path).roots]  # noqa: PTH118 - keeps ./
        for layer in self.layers:
            if not any(os.path.isdir(os.path.join(folder, layer)) for folder in folders):  # noqa: PTH112, PTH118 - likewise
                known = {name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)}  # noqa: PTH112, PTH208
                searched = ", ".join(map(os.path.dirname, folders))
                hint = near_hint(layer, known) or f"looked for {FOLDER}/{layer} in {searched}"
                message = f"there is no delta layer '{layer}'"
                raise ExtendError(
                    [Diagnostic(location=Location(path, 1, 1), code="no-layer", message=message, hint=hint)]
                )

    def search_path(self, path: str) -> SearchPath:
        """Return where files that the flow at ``path`` names are searched: its own folder, then the search roots."""
        return SearchPath(tuple(dict.fromkeys((os.path.dirname(path) or ".", *self.roots()))))  # noqa: PTH120 - keeps ./

    def _sources(self, path: str) -> Sources:
        """Return what the stages ``load`` and ``extend`` need for the file at ``path``: settings and functions."""
        search_path = self.search_path(path)

        def generate(section: Node, root: Node) -> Sequence[Node]:
            from taskrun.templates.element import Element

            tree = Element(root)
            return self._templates(sources, root).generate(section, {"_dsl_root": tree, "dsl_root": tree})

        def transform(root: Node) -> Node:
            from taskrun.templates.custom_types import CustomTypes

            return CustomTypes(self._templates(sources, root)).apply()

        sources = Sources(
            files=Files(self.layers, search_path.roots, search_path.by_path, partial(load, schema=self.schema)),
            opaque=self.schema.opaque,
            containers=self.schema.containers,
            generate=generate,
            config=self.config,
            transform=transform,
            dump=_dump,
        )
        return sources

    def _templates(self, sources: Sources, root: Node) -> FlowTemplates:
        return FlowTemplates(root, sources, self.tags, self.scripts())


def _dump(root: Node) -> None:
    """Write a tree to the log; called for ``x:dump="true"``, which shows what a file is merged to."""
    _LOG.info("%s", write_xml(root, describe_origin, head=False))
