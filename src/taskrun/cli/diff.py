"""``taskrun diff``: show what turns one flow into another.

    $ taskrun diff base.task.xml wanted.task.xml
    <task x:extends="base.task.xml">
      <steps>
        <step name="pay" timeout="9s"/>
      </steps>
    </task>

Rules: both flows are put together first. What is printed extends the first and says as little as it can; loaded, it is the
second. Paths in it are relative to the current folder, or to that of ``-o FILE``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.cli.parser import Parser, add_settings, make_manager

if TYPE_CHECKING:
    from taskrun.manager import TaskManager
    from taskrun.syntax.node import Node

DESCRIPTION = "Show what turns the flow A into the flow B, as a flow that extends A."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("diff", DESCRIPTION)
    parser.add_argument("base", metavar="A", help="the task file to begin with")
    parser.add_argument("wanted", metavar="B", help="the task file to come to")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it to FILE, with paths relative to that")
    add_settings(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded, say
    from taskrun.cli.stdout import write

    def command() -> int:
        text = delta_text(make_manager(arguments), arguments.base, arguments.wanted, arguments.output or "delta")
        if arguments.output is None:
            return write(text.rstrip("\n"))
        try:
            Path(arguments.output).write_text(text, "utf-8")
        except OSError as error:
            say(f"taskrun: error: cannot write '{arguments.output}': {error.strerror or error}")
            return 1
        return 0

    return guarded(command)


def delta_text(manager: TaskManager, base: str, wanted: str, output: str) -> str:
    """Return the text of the delta, as a file at ``output``."""
    from taskrun.errors import FlowError
    from taskrun.syntax.delta.difference import Differ, replacing
    from taskrun.syntax.delta.extend import language_of
    from taskrun.syntax.delta.relocate import relocated
    from taskrun.syntax.load import parse
    from taskrun.syntax.node import same
    from taskrun.syntax.xml_write import write_xml

    first, second = (relocated(manager.flows.expand(path, custom_types=False), output) for path in (base, wanted))
    path = os.path.relpath(base, Path(output).parent).replace(os.sep, "/")
    declared = {name: text for name, text in second.attributes.items() if name.startswith(("xmlns:", "xpl:"))}

    def text_of(delta: Node) -> str:
        return write_xml(delta._replace(attributes={"x:extends": path, **declared, **delta.attributes}), head=False)

    replaced = text_of(replacing(second))
    if (language_of(first) or "python") != (language_of(second) or "python"):
        return replaced
    delta = Differ(manager.flows.schema.opaque).difference(first, second)
    text = text_of(second._replace(attributes={}, children=(), text="") if delta is None else delta)
    try:  # prototypes, and what is generated, may make more of the base than it shows
        made = manager.flows.expand(output, root=parse(output, text.encode()), custom_types=False)
    except FlowError:
        return replaced
    return text if same(relocated(made, output), second) else replaced
