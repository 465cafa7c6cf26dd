"""Write and run templates in unit tests: flows of one step, and tag libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from small_flows import Bench, Ran

from taskrun.core.beans import Imports
from taskrun.errors import Diagnostic
from taskrun.script.script import ScriptSettings
from taskrun.syntax.delta.extend import Sources
from taskrun.syntax.delta.layers import Files
from taskrun.syntax.load import load
from taskrun.syntax.node import Node
from taskrun.templates.flow_templates import FlowTemplates
from taskrun.templates.tag_lookup import TagSettings


def flow_templates_of(root: Node) -> FlowTemplates:
    """Return the FlowTemplates of a tree that extends no other file."""
    files = Files((), (), lambda path, _said_in: path, load)
    sources = Sources(files=files, opaque=frozenset(), containers=frozenset(), generate=lambda _section, _root: ())
    return FlowTemplates(root, sources, TagSettings(imports=Imports()), ScriptSettings())


class Templates:
    """A folder with flows of one step, and the libraries that they use."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def library(self, tags: str, name: str = "t.xlib", head: str = "") -> None:
        """Write a library; its tags begin in line 2."""
        self.bench.write(f"<lib{head}><tags>\n{tags}\n</tags></lib>\n", name)

    def flow(self, body: str, inputs: Mapping[str, Any] | None = None, *, mode: str = "", head: str = "") -> str:
        """Return a flow with one step, whose source is ``body``, in line 3."""
        declared = "".join(f'<input name="{name}"/>' for name in inputs or ())
        given = "".join(f'<input name="{name}"/>' for name in inputs or ())
        attribute = f' xpl:outputMode="{mode}"' if mode else ""
        return (
            f'<task xmlns:t="t.xlib"{head}>{declared}<steps><step name="a">{given}\n'
            f"<source{attribute}>\n{body}\n</source></step></steps></task>"
        )

    def run(
        self,
        body: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        tags: str = "",
        mode: str = "",
        head: str = "",
        **settings: Any,
    ) -> Ran:
        """Run a body as the source of a step."""
        self.library(tags)
        return self.bench.run(self.flow(body, inputs, mode=mode, head=head), inputs, **settings)

    def value(self, body: str, inputs: Mapping[str, Any] | None = None, **settings: Any) -> Any:
        """Return the value of a body."""
        return self.run(body, inputs, **settings).result

    def failure(self, body: str, inputs: Mapping[str, Any] | None = None, **settings: Any) -> str:
        """Return the class and message of the exception that a body raises."""
        cause = self.run(body, inputs, **settings).cause
        return f"{type(cause).__name__}: {cause}"

    def wrong(
        self, body: str, inputs: Mapping[str, Any] | None = None, *, tags: str = "", mode: str = "", **settings: Any
    ) -> tuple[Diagnostic, ...]:
        """Return the compile problems of a body."""
        self.library(tags)
        return self.bench.problems(self.flow(body, inputs, mode=mode), **settings)


def locations_of(problems: tuple[Diagnostic, ...]) -> list[str]:
    """Return code, file (if it is a library), line and column of each problem."""
    found = []
    for item in problems:
        name = item.location.path.rpartition("/")[2]
        file = "" if name.startswith("flow") else f"{name}:"
        found.append(f"{item.code} {file}{item.location.line}:{item.location.column}")
    return found


def messages_of(problems: tuple[Diagnostic, ...]) -> str:
    """Return the codes, messages and hints of problems."""
    return "\n".join(f"{item.code}: {item.message} ({item.hint})" for item in problems)
