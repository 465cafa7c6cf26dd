"""<script>: run a text in the language that ``lang`` names.

    <script name="add" lang="python">
      <input name="a"/>
      <source>return a + 1</source>
    </script>

Rules: the language compiles and runs the text (``core.script_language``); the built-in languages are in
``taskrun.languages``.
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
    """Traits of ``<script>``: it awaits if its code does."""

    __slots__ = ()

    def awaits(self, step: LanguageStep) -> bool:
        """Return whether running the code of the step may await."""
        return step.source.may_suspend


@step("script")
class LanguageStep(Step):
    """Step ``<script>``: evaluates a script in the language ``lang``; the value is the RESULT."""

    traits: ClassVar[Traits] = CodeTraits(reads_only_scripts=True)

    lang: str
    shell: str | None = None
    source: Code

    async def run(self, frame: Frame) -> Completion:
        """Run the source in its language."""
        return completion_of(await self.source.run(frame))

    def analyze(self) -> Iterable[Diagnostic]:
        """Check that the attributes fit the language, and yield the problems that the language finds in the source."""
        if self.shell is not None and "shell" not in self.source.attributes:
            text = f'shell has no meaning with lang="{self.lang}"'
            yield self.node.problem("no-meaning", text, hint='it is for lang="shell" only', attribute="shell")
        yield from self.source.analyze(self)
