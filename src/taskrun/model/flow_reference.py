"""Reference to another file: the attributes by which ``<call-task>`` and ``<call-step>`` name a task or library.

Rules: the file is named either by its path, or by name and version. A file that does not exist is reported before the
run starts, with the places where it was searched.
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
    """Reference of a step to a task or step library, by file path or by name and version.

    ``kind`` is ``task`` or ``lib``; the names of the attributes begin with it, such as ``taskName`` or ``libName``.
    """

    node: Node
    kind: str
    name: str | None
    version: int | None
    path: str | None

    @property
    def attribute(self) -> str:
        """The XML attribute by which this step names its file, such as ``taskName`` or, for a library, ``libName``."""
        return f"{self.kind}ModelPath" if self.path else f"{self.kind}Name"

    def find(self, search_path: SearchPath) -> str:
        """Search the file and return its path; raises NotFoundError if there is no such file."""
        if self.path:
            merged = self.node.places is not None  # then the attribute may come from another file than the element
            base = self.node.attribute_at(self.attribute).path if merged else self.node.source.path
            return search_path.by_path(self.path, base)
        kind = ".task" if self.kind == "task" else ".task-lib"
        return search_path.by_name(self.name or "", self.version, kind)

    def load(self, services: Services) -> Flow:
        """Search the file and return its compiled flow.

        Raises NotFoundError if there is no such file, FlowError if it is wrong.
        """
        return services.load(self.find(services.search_path))

    def analyze(self) -> Iterator[Diagnostic]:
        """Yield an error unless the file is named in exactly one way: by path, or by name with or without a version."""
        path, name = f"{self.kind}ModelPath", f"{self.kind}Name"
        if not self.path and not self.name:
            yield self.node.problem("missing-attribute", f"<{self.node.tag}> needs {path} or {name}")
        elif self.path and self.name:
            yield self.node.problem("doubled", f"both {path} and {name} are given: remove one of them", attribute=name)
        elif self.path and self.version is not None:
            attribute = f"{self.kind}Version"
            yield self.node.problem("doubled", f"{attribute} is for {name}, not for {path}", attribute=attribute)

    def link(self, context: LinkContext, step: Step) -> Iterator[Diagnostic]:
        """Yield an error if the file does not exist, or else the errors of the file.

        ``step`` is the step that has the reference. A called task is registered in ``context``, so that it is linked
        too.
        """
        try:
            flow = self.load(context.services)
        except NotFoundError as error:
            yield self.node.problem("no-file", str(error), hint=error.hint, attribute=self.attribute)
        except FlowError as error:
            yield from error.diagnostics
        else:
            if self.kind == "task":  # of a library only the called step is linked, by the step that calls it
                context.add_call(step, flow)
