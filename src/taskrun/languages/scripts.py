"""Languages ``python`` and ``xscript`` of ``<script>``: the dialects of taskrun's own scripts.

    <script name="add" lang="python">
      <input name="a"/>
      <source>return a + 1</source>
    </script>

Rules: the text is evaluated like the source of a ``<step>``. A script without ``await`` needs no coroutine, and a step
with an ``executor`` sends its script there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskrun.calls.remote_scripts import evaluate_async, run_elsewhere
from taskrun.core.frame import Frame
from taskrun.core.script_language import Code
from taskrun.script.script import Script, ScriptSettings, compile_script
from taskrun.syntax.node import Node


@dataclass(frozen=True, slots=True)
class ScriptLanguage:
    """Language of ``<script>`` for one dialect, ``python`` or ``xscript``."""

    dialect: str

    def compile(self, source: Node, _step: Node, settings: ScriptSettings) -> ScriptCode:
        """Compile the text of ``<source>`` to code that the step can run; the script may contain ``await``."""
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
    """Compiled script in the dialect ``python`` or ``xscript``, as the code of a step ``<script>``."""

    script: Script

    async def run(self, frame: Frame) -> Any:
        """Evaluate the script with the variables of the step, by the executor of the step if it has one."""
        if frame.executor is not None:
            return await run_elsewhere(frame, self.script)
        return await evaluate_async(self.script, frame.scope)

    @property
    def function(self) -> Script:
        """The compiled script, which the optimizer can call without a coroutine."""
        return self.script

    @property
    def may_suspend(self) -> bool:  # type: ignore[override] # it depends on the script
        """Whether the script contains ``await``."""
        return self.script.suspends
