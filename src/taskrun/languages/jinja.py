"""lang="jinja2": a template; the text that it makes is the RESULT.

    <script name="letter" lang="jinja2">
      <input name="who"/>
      <source>Dear {{ who }}, …</source>
    </script>

Rules: see ``script.text_template``. On the event loop async functions are awaited; with an ``executor`` the template is
evaluated there, and there are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskrun.calls.python_calls import INLINE
from taskrun.calls.remote_scripts import evaluated, run_elsewhere
from taskrun.core.frame import Frame
from taskrun.core.script_language import Code
from taskrun.script.script import ScriptSettings
from taskrun.script.text_template import TextTemplate, compile_text_template
from taskrun.syntax.node import Node


@dataclass(frozen=True, slots=True)
class JinjaLanguage:
    """Templates."""

    def compile(self, source: Node, _step: Node, settings: ScriptSettings) -> JinjaCode:
        """Return the template in the element's text."""
        template = compile_text_template(source, awaits=True, settings=settings)
        return JinjaCode(
            text=template.text,
            node=template.node,
            reads=template.reads,
            uses=template.uses,
            template=template,
            settings=settings,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JinjaCode(Code):
    """A template."""

    template: TextTemplate
    settings: ScriptSettings

    async def run(self, frame: Frame) -> Any:
        """Return the text that the template makes of the step's variables."""
        if frame.executor in (None, INLINE):
            return await evaluated(self.template, frame.scope)
        return await run_elsewhere(frame, compile_text_template(self.node, settings=self.settings), compile_plain)


def compile_plain(node: Node, _language: str) -> TextTemplate:
    """Return the template in the text of ``node``, for a process that has no settings."""
    return compile_text_template(node)
