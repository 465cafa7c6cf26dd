"""``taskrun diff``: show the difference between two flows, as a flow that extends the first and equals the second.

    $ taskrun diff base.task.xml wanted.task.xml
    <task x:extends="base.task.xml">
      <steps>
        <step name="pay" timeout="9s"/>
      </steps>
    </task>

Rules: if one of the flows extends other files, it is merged with them before the comparison. The result contains only
what differs. File paths in it are relative to the current folder, with ``-o FILE`` to the folder of FILE.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.cli.exit_codes import FAILED, SUCCEEDED
from taskrun.cli.manager_options import add_manager_options, create_manager
from taskrun.cli.stderr import report
from taskrun.cli.stdout import print_result

if TYPE_CHECKING:
    from taskrun.manager import TaskManager
    from taskrun.syntax.node import Node


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun diff``."""
    parser.add_argument("base", metavar="A", help="the task file that the result extends")
    parser.add_argument("wanted", metavar="B", help="the task file that the result equals")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the result to FILE, with paths relative to it")
    add_manager_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the difference between two flows and return the exit status."""
    text = delta_text(create_manager(arguments), arguments.base, arguments.wanted, arguments.output or "delta")
    if arguments.output is None:
        return print_result(text.rstrip("\n"))
    try:
        Path(arguments.output).write_text(text, "utf-8")
    except OSError as error:
        report(f"taskrun: error: cannot write '{arguments.output}': {error.strerror or error}")
        return FAILED
    return SUCCEEDED


def delta_text(manager: TaskManager, base: str, wanted: str, output: str) -> str:
    """Return the text of a flow that extends the flow ``base`` and then equals the flow ``wanted``.

    Parameters:
        manager: loads the flows and merges them with the files that they extend.
        base: the path of the flow to extend.
        wanted: the path of the flow to equal.
        output: the path of the file for which the text is made; file paths in the text are relative to its folder.
    """
    from taskrun.errors import FlowError
    from taskrun.syntax.delta.difference import Differ, replacement_delta
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

    replaced = text_of(replacement_delta(second))
    if (language_of(first) or "python") != (language_of(second) or "python"):
        return replaced
    delta = Differ(manager.flows.schema.opaque).difference(first, second)
    text = text_of(second._replace(attributes={}, children=(), text="") if delta is None else delta)
    try:  # merging the delta may give another flow than `wanted` if the base has prototypes or generated parts
        merged = manager.flows.expand(output, root=parse(output, text.encode()), custom_types=False)
    except FlowError:
        return replaced
    return text if same(relocated(merged, output), second) else replaced
