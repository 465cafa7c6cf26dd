"""``taskrun expand``: show a flow merged with the files that it extends.

    $ taskrun expand --origins shop.task.xml
    <!-- from base.task.xml:1:1, changed by shop.task.xml:1:1 -->
    <task>…

Rules: the printed flow does the same as the given one. It is in the kernel language: older tags are replaced by their
present names, and every step has a name. It does not contain the attributes that control the merge.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from taskrun.cli.manager_options import add_manager_options, create_manager
from taskrun.cli.stdout import print_result

if TYPE_CHECKING:
    from taskrun.syntax.node import Node


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun expand``."""
    parser.add_argument("flow", metavar="FILE", help="the task file")
    parser.add_argument("--origins", action="store_true", help="show the files from which each element was merged")
    add_manager_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print an expanded flow and return the exit status."""
    from taskrun.syntax.delta.origins import describe_origin
    from taskrun.syntax.delta.relocate import relocated
    from taskrun.syntax.xml_write import write_xml

    root = relocated(create_manager(arguments).flows.expand(arguments.flow), arguments.flow)
    origins = describe_origin if arguments.origins else None
    return print_result(write_xml(to_kernel_language(root), origins, head=False).rstrip("\n"))


def to_kernel_language(root: Node) -> Node:
    """Return the tree of a flow in the kernel language; the root tag is ``<task>``, also for a flow in graph mode."""
    from taskrun.syntax.normalize import normalize

    kernel = normalize(root)
    return kernel._replace(tag="task") if kernel.tag == "graph-task" else kernel
