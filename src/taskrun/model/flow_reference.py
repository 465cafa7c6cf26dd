"""Reference to another file: the attributes of ``call-task`` and ``call-step`` that name it.

Rules: a file is named by path, or by name and version, never both. A file that is not found is reported before the run
starts, with the paths that were tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskrun.errors import Diagnostic, FlowError
from taskrun.syntax.node import Node
from taskrun.syntax.search_path import NotFoundError, SearchPath

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.link_context import LinkContext
    from taskrun.core.services import Services
    from taskrun.core.step import Step


@dataclass(frozen=True, slots=True)
class FlowReference:
    """Reference of a step to a task or step library, by path or by name and version.

    ``kind`` is ``task`` or ``lib``, the beginning of the attribute names.
    """

    node: Node
    kind: str
    name: str | None
    version: int | None
    path: str | None

    @property
    def attribute(self) -> str:
        """The XML attribute by which the step names the file, such as ``taskName``."""
        return f"{self.kind}ModelPath" if self.path else f"{self.kind}Name"

    def find(self, search_path: SearchPath) -> str:
        """Return the path of the referenced file; raises NotFoundError."""
        if self.path:
            merged = self.node.places is not None  # then the attribute may come from another file than the element
            base = self.node.attribute_at(self.attribute).path if merged else self.node.source.path
            return search_path.by_path(self.path, base)
        kind = ".task" if self.kind == "task" else ".task-lib"
        return search_path.by_name(self.name or "", self.version, kind)

    def load(self, services: Services) -> Flow:
        """Return the compiled flow of the file; raises NotFoundError and FlowError."""
        return services.load(self.find(services.search_path))

    def analyze(self) -> Iterator[Diagnostic]:
        """Yield an error unless exactly one of path and name is given, and a version only with a name."""
        path, name = f"{self.kind}ModelPath", f"{self.kind}Name"
        if not self.path and not self.name:
            yield self.node.problem("missing-attribute", f"<{self.node.tag}> needs {path} or {name}")
        elif self.path and self.name:
            yield self.node.problem("doubled", f"both {path} and {name} are given: remove one of them", attribute=name)
        elif self.path and self.version is not None:
            attribute = f"{self.kind}Version"
            yield self.node.problem("doubled", f"{attribute} is for {name}, not for {path}", attribute=attribute)

    def link(self, context: LinkContext, step: Step) -> Iterator[Diagnostic]:
        """Yield an error if the file is not found, else the errors of the file; ``step`` has the reference."""
        try:
            flow = self.load(context.services)
        except NotFoundError as error:
            yield self.node.problem("no-file", str(error), hint=error.hint, attribute=self.attribute)
        except FlowError as error:
            yield from error.diagnostics
        else:
            if self.kind == "task":  # of a library only the called step is linked, by the step that calls it
                context.add_call(step, flow)
