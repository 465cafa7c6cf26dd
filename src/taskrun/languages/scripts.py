"""lang="python" and lang="xscript": the dialects of this engine's own scripts.

    <script name="add" lang="python">
      <input name="a"/>
      <source>return a + 1</source>
    </script>

Rules: they are evaluated like the source of a ``<step>``: at once where nothing awaits, elsewhere with an ``executor``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskrun.calls.remote_scripts import evaluated, run_elsewhere
from taskrun.core.frame import Frame
from taskrun.core.script_language import Code
from taskrun.script.script import Script, ScriptSettings, compile_script
from taskrun.syntax.node import Node


@dataclass(frozen=True, slots=True)
class ScriptLanguage:
    """A dialect of scripts."""

    dialect: str

    def compile(self, source: Node, _step: Node, settings: ScriptSettings) -> ScriptCode:
        """Return the script in the element's text; it may await."""
        script = compile_script(source, language=self.dialect, awaits=True, settings=settings)
        return ScriptCode(
            text=script.text,
            node=script.node,
            reads=script.reads,
            stores=script.stores,
            uses=script.uses,
            script=script,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCode(Code):
    """A script of this engine."""

    script: Script

    async def run(self, frame: Frame) -> Any:
        """Evaluate the script in the step's scope, or where its executor says."""
        if frame.executor is not None:
            return await run_elsewhere(frame, self.script)
        return await evaluated(self.script, frame.scope)

    @property
    def function(self) -> Script:
        """The script."""
        return self.script

    @property
    def may_suspend(self) -> bool:  # type: ignore[override] # it depends on the script
        """Whether the script awaits."""
        return self.script.suspends
