"""Runs what a page of the documentation shows, in the order of the page.

A page is Markdown. What is executed:

* ```` ```xml ```` that begins with ``<task`` is a flow: it is saved (as ``title="…"`` says, else ``flow.task.xml``) and
  compiled. With the word ``wrong`` it must be refused. Any other XML is a fragment, which the schema must allow where
  it may stand.
* ```` ```yaml ```` and ```` ```json ```` with a title that ends in ``.task.yaml`` or ``.task.json`` are flows too.
* A list item behind a flow is a run of it: ``- `{"n": 3}` gives `{"RESULT": 6}` after 100 ms`` (the time may be left
  out), ``- `{}` fails: `part of the error` ``, or for a wrong flow ``- refused: `code: part of the message` ``.
* ```` ```python ```` is executed; all blocks of a page share their names. A ```` ```text ```` block right behind it is
  what it prints. When the page makes a ``manager``, flows behind that are run with it.
* ```` ```console ```` is a transcript, see ``transcript.py``.

A block with the word ``no-run`` is left alone, and so are blocks in other languages. Time is virtual in the runs of
list items.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcript import check_transcript

from taskrun import TaskManager
from taskrun.cli.json_value import json_value
from taskrun.compile.registry import Registry
from taskrun.errors import FlowError, SchemaError, raise_errors
from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.load import parse
from taskrun.syntax.validate import find_problems
from taskrun.testing import run_virtual

_OPENING = re.compile(r"^```(\w+)(.*)$")
_CASE = re.compile(r"^- `(\{.*?\})` (?:gives `(.*)`(?: after (\d+) ms)?|fails: `(.*)`)\.?$")
_REFUSED = re.compile(r"^- refused: `(.*)`\.?$")
_TITLE = re.compile(r'title="([^"]+)"')
_ROOT = re.compile(r"\s*(?:<!--.*?-->\s*)*<task[\s>]", re.DOTALL)
_FIRST_TAG = re.compile(r"<([\w:.-]+)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the words behind it, its text, and the line of its opening fence."""

    language: str
    words: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """A list item that describes what a flow does, and its line."""

    text: str
    line: int


def parts(page: str) -> Iterator[Block | Item]:
    """Yield the blocks and list items of a page that are executed."""
    lines = page.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        opening = _OPENING.match(line)
        if opening:
            end = next((at for at in range(number, len(lines)) if lines[at] == "```"), len(lines))
            yield Block(opening[1], opening[2], "\n".join(lines[number:end]) + "\n", number)
            number = end + 1
        elif _CASE.match(line) or _REFUSED.match(line):
            yield Item(line, number)
        elif line.startswith(("- `{", "- refused")):
            raise AssertionError(f"line {number}: not understood: {line}")


class Page:
    """The state of a page that is being run, in the folder ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        module = sys.modules["page"] = types.ModuleType("page")  # where classes of the page look names up
        self.names: dict[str, Any] = module.__dict__
        self.flow: Path | None = None
        self.wrong = ""
        self.printed: str | None = None
        self.registry = Registry()

    def run(self, text: str) -> None:
        """Run everything on the page; raises AssertionError with the line of the first difference."""
        for part in parts(text):
            try:
                if isinstance(part, Item):
                    self._item(part.text)
                elif "no-run" not in part.words:
                    self._block(part)
            except Exception as error:
                raise AssertionError(f"line {part.line}: {type(error).__name__}: {error}") from error

    @property
    def manager(self) -> TaskManager:
        """The TaskManager for the flows of the page."""
        return self.names.get("manager") or TaskManager()

    def _block(self, block: Block) -> None:
        printed, self.printed = self.printed, None
        match block.language:
            case "xml" if _ROOT.match(block.text):
                self._flow(block)
            case "yaml" | "json" if f".task.{block.language}" in block.words:
                self._flow(block)
            case "xml":
                self._fragment(block.text)
            case "python":
                output = io.StringIO()
                with contextlib.redirect_stdout(output):
                    exec(compile(block.text, f"<block at line {block.line}>", "exec"), self.names)
                self.printed = output.getvalue()
            case "text" if printed is not None:
                assert printed == block.text, f"it prints:\n{printed}"
            case "console":
                check_transcript(block.text, self.folder)
            case _:
                return

    def _flow(self, block: Block) -> None:
        title = _TITLE.search(block.words)
        self.flow = self.folder / (title[1] if title else "flow.task.xml")
        self.flow.parent.mkdir(parents=True, exist_ok=True)
        self.flow.write_text(block.text, "utf-8")
        self.wrong = ""
        try:
            self.manager.load(self.flow)
        except FlowError as error:
            if "wrong" not in block.words:
                raise
            self.wrong = "\n".join(f"{item.code}: {item.message} {item.hint}" for item in error.diagnostics)
        else:
            assert "wrong" not in block.words, "the flow was accepted"

    def _fragment(self, text: str) -> None:
        first = _FIRST_TAG.search(text)
        assert first is not None
        declared = 'xmlns:audit="audit" xmlns:retry="retry" xmlns:timeout="timeout" xmlns:rateLimit="rateLimit"'
        inside = text if first[1] in self.registry.steps else f"<step>{text}</step>"
        wrapped = f"<task {declared}><steps>{inside}</steps></task>"
        if first[1] in {"beans", "import"}:
            wrapped = f"<task>{text}<steps/></task>"
        tree = rewrite_short_forms(parse("fragment", wrapped.encode()))
        raise_errors(find_problems(tree, self.registry.schema), SchemaError)

    def _item(self, text: str) -> None:
        assert self.flow is not None, "no flow before this"
        refused = _REFUSED.match(text)
        if refused:
            assert refused[1] in self.wrong, f"not refused with that, but: {self.wrong}"
            return
        case = _CASE.match(text)
        assert case is not None
        inputs, expected, elapsed, failure = case.groups()
        outputs: Any = None
        error = ""
        took = 0.0
        try:
            result, took = run_virtual(self.manager.run_async(self.flow, json.loads(inputs)))
            outputs = json_value(dict(result))
        except Exception as raised:
            if failure is None:
                raise
            error = f"{type(raised).__name__}: {raised}"
        if failure is not None:
            assert failure in error, f"the error is: {error or outputs}"
        else:
            shown = json.dumps(outputs, ensure_ascii=False)
            assert json.dumps(json.loads(expected), ensure_ascii=False) == shown, f"it gives {shown}"
        assert elapsed is None or round(took) == int(elapsed), f"it takes {took} ms"
