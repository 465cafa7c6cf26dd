"""<script>: run a text in the language that ``lang`` names.

    <script name="add" lang="python">
      <input name="a"/>
      <source>return a + 1</source>
    </script>

Rules: the built-in languages are ``python``, ``xscript``, ``jinja2`` and ``shell`` (``taskrun.languages``). A language
compiles the text when the flow is loaded, and runs it (``core.script_language``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from taskrun.core.completion import Completion, completion_of
from taskrun.core.frame import Frame
from taskrun.core.script_language import Code
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic


class CodeTraits(Traits):
    """Traits of ``<script>``: whether it may wait depends on the language and the text."""

    __slots__ = ()

    def awaits(self, step: LanguageStep) -> bool:
        """Return whether running the text may await, so that it needs a coroutine."""
        return step.source.may_suspend


@step("script")
class LanguageStep(Step):
    """Step ``<script>``: runs a text in the language ``lang``; its value is the RESULT."""

    traits: ClassVar[Traits] = CodeTraits(reads_only_scripts=True)

    lang: str
    shell: str | None = None
    source: Code

    async def run(self, frame: Frame) -> Completion:
        """Run the text in its language and return its value as RESULT."""
        return completion_of(await self.source.run(frame))

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield diagnostics: ``shell`` is given for another language, and the problems that the language finds."""
        if self.shell is not None and "shell" not in self.source.attributes:
            text = f'shell has no meaning with lang="{self.lang}"'
            yield self.node.problem("no-meaning", text, hint='it is for lang="shell" only', attribute="shell")
        yield from self.source.analyze(self)
