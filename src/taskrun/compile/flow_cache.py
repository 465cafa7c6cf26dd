"""The compiled flows of a TaskManager, by file.

Rules: a flow is compiled when it is first asked for, and again when any file that it was built from has changed, came, or
went; runs that are going keep the flow they began with. What is looked up by ``/…`` while a flow is put together is looked
for in its own folder, then in ``roots``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from taskrun.compile.pipeline import compile_flow
from taskrun.compile.registry import Registry
from taskrun.core.flow import Flow
from taskrun.core.search_path import SearchPath
from taskrun.errors import Diagnostic, ExtendError, FlowError, near_hint
from taskrun.script.script import ScriptSettings
from taskrun.source import Location
from taskrun.syntax.delta.extend import Sources, with_chain
from taskrun.syntax.delta.layers import FOLDER, Files, state_of
from taskrun.syntax.delta.origins import origin_told
from taskrun.syntax.load import load
from taskrun.syntax.node import Node
from taskrun.syntax.xml_write import write_xml
from taskrun.templates.flow_templates import FlowTemplates
from taskrun.templates.tag_lookup import TagSettings

_LOG = logging.getLogger("taskrun")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCache:
    """Compiles and keeps flows.

    Parameters: ``roots`` returns the search roots besides the flow's own folder; ``config`` is what ``feature:on`` asks,
    ``layers`` the names of delta layers, the lowest first; ``scripts`` returns the settings of scripts.
    """

    registry: Registry
    scripts: Callable[[], ScriptSettings]
    roots: Callable[[], Sequence[str]]
    config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    tags: TagSettings
    kept: dict[str, tuple[dict[str, tuple[int, ...]], Flow]] = field(default_factory=dict)

    def get(self, path: str) -> Flow:
        """Return the compiled flow of a file; raises FlowError."""
        known = self.kept.get(path)
        if known is not None and all(state_of(file) == state for file, state in known[0].items()):
            return known[1]
        sources = self.sources(path)
        try:
            flow = compile_flow(path, self.registry, sources, partial(self._markup, sources), text=None)
        except FlowError as error:
            raise with_chain(error, sources, path) from None
        self.kept[path] = (sources.files.states, flow)
        return flow

    def compile_text(self, path: str, text: str) -> Flow:
        """Return the compiled flow of a text that ``Flow.text`` made of the file at ``path``; raises FlowError."""
        sources = self.sources(path)
        return compile_flow(path, self.registry, sources, partial(self._markup, sources), text)

    def check_layers(self, path: str) -> None:
        """Raise ExtendError when a delta layer has no folder in any place where files of the flow are looked for."""
        places = [os.path.join(root, FOLDER) for root in self.lookup(path).roots]  # noqa: PTH118 - keeps ./
        for layer in self.layers:
            if not any(os.path.isdir(os.path.join(place, layer)) for place in places):  # noqa: PTH112, PTH118 - likewise
                known = {name for place in places if os.path.isdir(place) for name in os.listdir(place)}  # noqa: PTH112, PTH208
                hint = (
                    near_hint(layer, known)
                    or f"looked for {FOLDER}/{layer} in {', '.join(map(os.path.dirname, places))}"
                )
                message = f"there is no delta layer '{layer}'"
                place = Location(path, 1, 1)
                raise ExtendError([Diagnostic(location=place, code="no-layer", message=message, hint=hint)])

    def lookup(self, path: str) -> SearchPath:
        """Return where files are looked for that the flow at ``path`` names: in its folder, then in the search roots."""
        return SearchPath((os.path.dirname(path) or ".", *self.roots()))  # noqa: PTH120 - keeps ./

    def sources(self, path: str) -> Sources:
        """Return what the file at ``path`` is put together from."""
        lookup = self.lookup(path)

        def generate(section: Node, root: Node) -> Sequence[Node]:
            from taskrun.templates.element import Element

            tree = Element(root)
            return self._markup(sources, root).generated(section, {"_dsl_root": tree, "dsl_root": tree})

        def transform(root: Node) -> Node:
            from taskrun.templates.custom_types import CustomTypes

            return CustomTypes(self._markup(sources, root)).apply()

        sources = Sources(
            files=Files(self.layers, lookup.roots, lookup.by_path, lambda file: load(file, self.registry.schema)),
            opaque=self.registry.schema.opaque,
            generate=generate,
            config=self.config,
            transform=transform,
            dump=_dump,
        )
        return sources

    def _markup(self, sources: Sources, root: Node) -> FlowTemplates:
        return FlowTemplates(root, sources, self.tags, self.scripts())


def _dump(root: Node) -> None:
    _LOG.info("%s", write_xml(root, origin_told, head=False))
