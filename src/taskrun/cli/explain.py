"""``taskrun explain``: show the steps of a flow with what stands round each of them.

    task main (flow.task.xml:1:1)
      step greet (flow.task.xml:4:5)
        when > call > retry > outputs

Rules: a step's decorators stand below it, the outermost first: what is further left happens earlier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from taskrun.cli.parser import Parser, add_settings, make_manager

if TYPE_CHECKING:
    from taskrun.core.weave import Program

DESCRIPTION = "Show the steps of a flow with the decorators round each of them, the outermost first."


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("explain", DESCRIPTION)
    parser.add_argument("flow", metavar="FILE", help="the task file")
    add_settings(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded
    from taskrun.cli.stdout import write

    def command() -> int:
        flow = make_manager(arguments).load(arguments.flow)
        return write("\n".join(lines(flow.program(traced=False))))

    return guarded(command)


def lines(program: Program, depth: int = 0) -> Iterator[str]:
    """Yield the lines for a program and the programs inside it."""
    from taskrun.core.weave import Woven

    layers: list[str] = []
    inner: Any = program
    while isinstance(inner, Woven):
        layers.append(inner.decorator.tag or type(inner.decorator).__name__)
        inner = inner.inner
    indent = "  " * depth
    model = inner.model
    yield f"{indent}{model.node.tag} {model.name or 'main'} ({model.at})"
    if layers:
        yield f"{indent}    {' > '.join(layers)}"
    for child in inner.children():
        yield from lines(child, depth + 1)
