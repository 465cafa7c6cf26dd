"""``taskrun expand``: show a flow after all that it builds on was put in.

    $ taskrun expand --origins shop.task.xml
    <!-- from base.task.xml:1:1, changed by shop.task.xml:1:1 -->
    <task>…

Rules: what is printed is a flow that loads and does the same, without the words about merging, in the kernel language: old
tags have their new names and every step has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskrun.cli.parser import Parser, add_settings, make_manager

if TYPE_CHECKING:
    from taskrun.syntax.node import Node

DESCRIPTION = "Show a flow after all that it builds on was put in; the output is a flow that does the same."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("expand", DESCRIPTION)
    parser.add_argument("flow", metavar="FILE", help="the task file")
    parser.add_argument("--origins", action="store_true", help="say of which files each part was made")
    add_settings(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded
    from taskrun.cli.stdout import write
    from taskrun.syntax.delta.origins import origin_told
    from taskrun.syntax.delta.relocate import relocated
    from taskrun.syntax.xml_write import write_xml

    def command() -> int:
        root = relocated(make_manager(arguments).flows.expand(arguments.flow), arguments.flow)
        return write(write_xml(kernel(root), origin_told if arguments.origins else None, head=False).rstrip("\n"))

    return guarded(command)


def kernel(root: Node) -> Node:
    """Return a tree in the kernel language, as a file has it: a graph is a task in graph mode."""
    from taskrun.syntax.normalize import normalize

    made = normalize(root)
    return made._replace(tag="task") if made.tag == "graph-task" else made
