"""``taskrun explain``: show the steps of a flow with their decorators.

    task main (flow.task.xml:1:1)
      step greet (flow.task.xml:4:5)
        when > call > retry > outputs

Rules: the line below a step lists its decorators, the outermost first, including those that the weaver adds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from taskrun.cli.manager_options import add_manager_options, create_manager
from taskrun.cli.stdout import print_result

if TYPE_CHECKING:
    from taskrun.core.weave import Program


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun explain``."""
    parser.add_argument("flow", metavar="FILE", help="the task file")
    add_manager_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the steps of a flow with their decorators and return the exit status."""
    flow = create_manager(arguments).load(arguments.flow)
    return print_result("\n".join(program_lines(flow.program(traced=False))))


def program_lines(program: Program, depth: int = 0) -> Iterator[str]:
    """Yield the lines about a step and the steps inside it; ``depth`` is the number of steps around it."""
    from taskrun.core.weave import Woven

    decorators: list[str] = []
    inner: Any = program
    while isinstance(inner, Woven):
        decorators.append(inner.decorator.tag or type(inner.decorator).__name__)
        inner = inner.inner
    indent = "  " * depth
    yield f"{indent}{inner.model.node.tag} {inner.model.name or 'main'} ({inner.model.at})"
    if decorators:
        yield f"{indent}    {' > '.join(decorators)}"
    for child in inner.children():
        yield from program_lines(child, depth + 1)
