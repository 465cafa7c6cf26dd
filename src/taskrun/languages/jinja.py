"""Language ``jinja2`` of ``<script>``: a template whose text is the RESULT of the step.

    <script name="letter" lang="jinja2">
      <input name="who"/>
      <source>Dear {{ who }}, …</source>
    </script>

Rules: ``script.text_template`` explains what a template may do. It is rendered on the event loop and may call async
functions. If the step has an ``executor`` other than ``inline``, the template is rendered there and may not call them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskrun.calls.python_calls import INLINE
from taskrun.calls.remote_scripts import evaluate_async, run_elsewhere
from taskrun.core.frame import Frame
from taskrun.core.script_language import Code
from taskrun.script.script import ScriptSettings
from taskrun.script.text_template import TextTemplate, compile_text_template
from taskrun.syntax.node import Node


@dataclass(frozen=True, slots=True)
class JinjaLanguage:
    """Language of ``<script>`` for Jinja templates."""

    def compile(self, source: Node, _step: Node, settings: ScriptSettings) -> JinjaCode:
        """Compile the text of ``<source>``, a Jinja template, to code that the step can run."""
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
    """Compiled Jinja template, as the code of a step ``<script>``."""

    template: TextTemplate
    settings: ScriptSettings

    async def run(self, frame: Frame) -> Any:
        """Render the template with the variables of the step and return the text."""
        if frame.executor in (None, INLINE):
            return await evaluate_async(self.template, frame.scope)
        return await run_elsewhere(
            frame, compile_text_template(self.node, settings=self.settings), compile_without_settings
        )


def compile_without_settings(node: Node, _language: str) -> TextTemplate:
    """Compile the text of ``node`` as a template, in a worker process, where the settings of the flow are missing."""
    return compile_text_template(node)
