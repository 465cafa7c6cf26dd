"""What ``call-task`` and ``call-step`` share: naming another file by path, or by name and version.

Rules: one of the two ways, not both. What is not found is reported before the run starts, with what was tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskrun.core.search_path import NotFoundError, SearchPath
from taskrun.errors import Diagnostic, FlowError
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Host
    from taskrun.core.step import Step


@dataclass(frozen=True, slots=True)
class FlowReference:
    """Another file, as a step names it; ``kind`` is ``task`` or ``lib``."""

    node: Node
    kind: str
    name: str | None
    version: int | None
    path: str | None

    @property
    def attribute(self) -> str:
        """The attribute that names the file."""
        return f"{self.kind}ModelPath" if self.path else f"{self.kind}Name"

    def find(self, lookup: SearchPath) -> str:
        """Return the path of the file; raises NotFoundError."""
        if self.path:
            merged = self.node.places is not None  # then another file than the element's may have said it
            said_in = self.node.attribute_at(self.attribute).path if merged else self.node.source.path
            return lookup.by_path(self.path, said_in)
        kind = ".task" if self.kind == "task" else ".task-lib"
        return lookup.by_name(self.name or "", self.version, kind)

    def load(self, host: Host) -> Flow:
        """Return the compiled file; raises NotFoundError and FlowError."""
        return host.load(self.find(host.lookup))

    def analyze(self) -> Iterator[Diagnostic]:
        """Yield what is wrong with the way of naming."""
        path, name = f"{self.kind}ModelPath", f"{self.kind}Name"
        if not self.path and not self.name:
            yield self.node.problem("missing-attribute", f"<{self.node.tag}> needs {path} or {name}")
        elif self.path and self.name:
            yield self.node.problem("doubled", f"both {path} and {name}: one names the file", attribute=name)
        elif self.path and self.version is not None:
            attribute = f"{self.kind}Version"
            yield self.node.problem("doubled", f"{attribute} goes with {name}, not with {path}", attribute=attribute)

    def check(self, host: Host, step: Step) -> Iterator[Diagnostic]:
        """Yield that the file is not found, or what is wrong with it; ``step`` is the one that names it."""
        try:
            flow = self.load(host)
        except NotFoundError as error:
            yield self.node.problem("no-file", str(error), hint=error.hint, attribute=self.attribute)
        except FlowError as error:
            yield from error.diagnostics
        else:
            if host.called is not None and self.kind == "task":  # of a library, only the called step matters
                host.called(step, flow)
