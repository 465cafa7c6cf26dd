"""Language ``shell`` of ``<script>``: a script for sh, or for the shell named by the attribute ``shell``.

    <script name="pack" lang="shell" shell="bash">
      <input name="folder"/>
      <source>tar -czf - "$folder" | sha256sum</source>
      <output name="stdout"/>
    </script>

Rules: the script runs as ``sh -c TEXT``, without further options, in the current folder of this process, with empty
standard input. The declared inputs are environment variables; they are never inserted in the text, so their values
cannot become commands. RESULT is the standard output without its last newline; ``stdout``, ``stderr`` and ``exitCode``
are further outputs. An exit status other than 0 raises ShellError.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from taskrun.core.completion import RESULT, Completion
from taskrun.core.events import StepOutput
from taskrun.core.frame import Frame
from taskrun.core.script_language import Code
from taskrun.errors import BindError, Diagnostic, ShellError
from taskrun.languages.environment import environment, is_variable_name
from taskrun.languages.process import OutputLimitError, ProcessResult, run_process
from taskrun.script.script import ScriptSettings
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.step import Step

MAX_OUTPUT_BYTES = 16_000_000
"""The most bytes that a script may write to one stream."""

_MAX_SHOWN = 500


@dataclass(frozen=True, slots=True)
class ShellLanguage:
    """Language of ``<script>`` for shell scripts."""

    def compile(self, source: Node, step: Node, settings: ScriptSettings) -> ShellCode:
        """Return the code for the script in ``<source>``; raises BindError if the script is too long."""
        max_length = settings.limits.source_length
        if len(source.text) > max_length:
            message = f"the script has {len(source.text):,} characters; {max_length:,} are allowed"
            raise BindError([source.problem("script-syntax", message, hint="move it to a file and run the file")])
        inputs = [child.attributes.get("name", "") for child in step.children if child.tag == "input"]
        return ShellCode(
            text=source.text, node=source, reads=frozenset(inputs), shell=step.attributes.get("shell", "sh")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCode(Code):
    """Text of a shell script with the name of the shell that runs it, as the code of a step ``<script>``."""

    attributes: ClassVar[frozenset[str]] = frozenset({"shell"})

    shell: str

    async def run(self, frame: Frame) -> Completion:
        """Run the script and return its outputs; raises ShellError if it fails or cannot be started."""
        scope = frame.scope
        variables = environment({item.name: scope[item.name] for item in frame.step.inputs})
        on_line = _LineReporter(frame) if frame.run.traced else None
        try:
            result = await run_process(self._command(), variables, max_bytes=MAX_OUTPUT_BYTES, on_line=on_line)
        except FileNotFoundError as error:
            raise ShellError(f"there is no shell '{self.shell}' on this machine: {error.strerror}") from error
        except OSError as error:
            raise ShellError(f"the shell '{self.shell}' cannot be started: {error.strerror}") from error
        except OutputLimitError as error:
            message = f"the script was stopped: it wrote more than {MAX_OUTPUT_BYTES:,} bytes to {error.stream}"
            raise ShellError(f"{message}; write large output to a file") from None
        if result.status:
            raise ShellError(_failure_message(result), result.status, result.stdout, result.stderr)
        outputs = {"stdout": result.stdout, "stderr": result.stderr, "exitCode": result.status}
        return Completion({RESULT: result.stdout.removesuffix("\n"), **outputs})

    def _command(self) -> tuple[str, ...]:
        """Return the shell, its option ``-c``, the script and ``$0``, which is the path of the task file.

        Newlines are put before the script, so that the shell reports the line numbers of the task file.
        """
        at = self.node.character_at(0)
        return self.shell, "-c", ("\n" * (at.line - 1) or " ") + self.text, at.path

    def analyze(self, step: Step) -> Iterable[Diagnostic]:
        """Yield problems: inputs that cannot be shell variables, and an executor, which a shell script cannot use."""
        for item in step.inputs:
            if not is_variable_name(item.name):
                message = f"the input '{item.name}' cannot be a shell variable"
                hint = "use a name of letters a-z, digits and '_' that does not begin with a digit"
                yield item.node.problem("bad-value", message, hint=hint, attribute="name")
        if "executor" in step.node.attributes:
            message = 'executor has no meaning with lang="shell"'
            hint = "the script is a process of its own; remove executor"
            yield step.node.problem("no-meaning", message, hint=hint, attribute="executor")


@dataclass(frozen=True, slots=True)
class _LineReporter:
    """Callback for a running script: emits each line of its output as the event StepOutput."""

    frame: Frame

    def __call__(self, stream: str, text: str) -> None:
        run = self.frame.run
        run.emit(StepOutput(run.run_id, self.frame.path, stream, text))


def _failure_message(result: ProcessResult) -> str:
    """Return the message about a failed script: its status or signal, and the end of its standard error."""
    reason = result.signal_name
    reason = f"the script was ended by {reason}" if reason else f"the script ended with status {result.status}"
    stderr_text = result.stderr.strip()
    if len(stderr_text) > _MAX_SHOWN:
        stderr_text = "…" + stderr_text[-_MAX_SHOWN:]
    return f"{reason}: {stderr_text}" if stderr_text else reason
