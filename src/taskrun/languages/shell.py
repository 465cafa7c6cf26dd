"""lang="shell": a script for sh, or for the shell that ``shell`` names.

    <script name="pack" lang="shell" shell="bash">
      <input name="folder"/>
      <source>tar -czf - "$folder" | sha256sum</source>
      <output name="stdout"/>
    </script>

Rules: it is run as ``sh -c TEXT``, without further options, in the folder that the process is in, with nothing on
standard input. The declared inputs are in its environment; nothing is ever put into the text. RESULT is what it wrote,
without the last end of line; ``stdout``, ``stderr`` and ``exitCode`` are outputs. A status other than 0 is a ShellError.
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
from taskrun.languages.environment import environment, is_variable
from taskrun.languages.process import Ended, TooMuchError, run_process
from taskrun.script.script import ScriptSettings
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.step import Step

MOST_OUTPUT = 16_000_000
"""How many bytes a script may write to one stream."""

_SHOWN = 500


@dataclass(frozen=True, slots=True)
class ShellLanguage:
    """Scripts for a shell."""

    def compile(self, source: Node, step: Node, settings: ScriptSettings) -> ShellCode:
        """Return the script in the element's text."""
        most = settings.limits.source_length
        if len(source.text) > most:
            message = f"the script has {len(source.text):,} characters; {most:,} are allowed"
            raise BindError([source.problem("script-syntax", message, hint="put it into a file and call that")])
        inputs = [child.attributes.get("name", "") for child in step.children if child.tag == "input"]
        return ShellCode(
            text=source.text, node=source, reads=frozenset(inputs), shell=step.attributes.get("shell", "sh")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCode(Code):
    """A script for a shell."""

    attributes: ClassVar[frozenset[str]] = frozenset({"shell"})

    shell: str

    async def run(self, frame: Frame) -> Completion:
        """Run the script; raises ShellError when it fails."""
        scope = frame.scope
        variables = environment({item.name: scope[item.name] for item in frame.step.inputs})
        watch = _Lines(frame) if frame.run.traced else None
        try:
            ended = await run_process(self._words(), variables, most=MOST_OUTPUT, watch=watch)
        except FileNotFoundError as error:
            raise ShellError(f"there is no shell '{self.shell}' on this machine: {error.strerror}") from error
        except OSError as error:
            raise ShellError(f"the shell '{self.shell}' cannot be started: {error.strerror}") from error
        except TooMuchError as error:
            message = f"the script was stopped: it wrote more than {MOST_OUTPUT:,} bytes to {error.stream}"
            raise ShellError(f"{message}; write large output to a file") from None
        if ended.status:
            raise ShellError(_failure(ended), ended.status, ended.stdout, ended.stderr)
        outputs = {"stdout": ended.stdout, "stderr": ended.stderr, "exitCode": ended.status}
        return Completion({RESULT: ended.stdout.removesuffix("\n"), **outputs})

    def _words(self) -> tuple[str, ...]:
        """Return the command; its messages name the task file, and the lines there."""
        at = self.node.character_at(0)
        return self.shell, "-c", ("\n" * (at.line - 1) or " ") + self.text, at.path

    def analyze(self, step: Step) -> Iterable[Diagnostic]:
        """The names of inputs can be those of variables of a shell; it is a process already, so it has no executor."""
        for item in step.inputs:
            if not is_variable(item.name):
                message = f"the input '{item.name}' cannot be a variable of a shell"
                hint = "its name has letters a-z, digits and '_', and does not begin with a digit"
                yield item.node.problem("bad-value", message, hint=hint, attribute="name")
        if "executor" in step.node.attributes:
            message = 'executor has no meaning with lang="shell"'
            hint = "the script is a process of its own; leave executor out"
            yield step.node.problem("no-meaning", message, hint=hint, attribute="executor")


@dataclass(frozen=True, slots=True)
class _Lines:
    """Tells those who watch the run each line that is written."""

    frame: Frame

    def __call__(self, stream: str, text: str) -> None:
        run = self.frame.run
        run.emit(StepOutput(run.run_id, self.frame.path, stream, text))


def _failure(ended: Ended) -> str:
    """Return why a script failed, with the end of what it wrote to standard error."""
    reason = ended.signal_name
    reason = f"the script was ended by {reason}" if reason else f"the script ended with status {ended.status}"
    said = ended.stderr.strip()
    if len(said) > _SHOWN:
        said = "…" + said[-_SHOWN:]
    return f"{reason}: {said}" if said else reason
