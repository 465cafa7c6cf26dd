"""<script>: run a text in a named language.

<script name="add" lang="python">
  <input name="a"/>
  <source>return a + 1</source>
</script>
"""

from __future__ import annotations

from taskrun.core.completion import Completion, completion_of
from taskrun.core.fields import AwaitingScript
from taskrun.core.frame import Frame
from taskrun.core.shipping import evaluated, run_elsewhere
from taskrun.core.step import Step, step
from taskrun.script.script import Script


@step("script")
class LanguageStep(Step):
    """A text in the language ``lang``; its value is the RESULT."""

    reads_only_scripts = True

    lang: str
    source: AwaitingScript

    async def run(self, frame: Frame) -> Completion:
        """Evaluate the source in the step's scope."""
        if frame.executor is not None:
            return completion_of(await run_elsewhere(frame, self.source))
        return completion_of(await evaluated(self.source, frame.scope))

    @property
    def function(self) -> Script:
        """Its source."""
        return self.source

    @property
    def may_suspend(self) -> bool:
        """A script suspends when it awaits."""
        return self.source.suspends
