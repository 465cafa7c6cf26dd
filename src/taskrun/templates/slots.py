"""A slot that a caller has filled: what the body of a tag calls.

Rules: its body runs with the variables of the place that filled it, over them its arguments. Called from a script it gives
its value, or what it puts out; where its body waits, the call is awaited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.script.sandbox.guard import Opaque
from taskrun.templates.closures import NOTHING, Environment, Piece, Variables, at_once, finished
from taskrun.templates.output import Output

if TYPE_CHECKING:
    from taskrun.syntax.node import Node
    from taskrun.templates.analysis import Found


class Content(NamedTuple):
    """What a caller has put into a slot: the names of its arguments, the piece, what was found in it, and its mode."""

    names: tuple[str, ...]
    piece: Piece
    found: Found
    mode: str


class Filling(Opaque):
    """The filling of a slot, as a function of the slot's arguments."""

    __slots__ = ("_content", "_env", "_name")

    def __init__(self, name: str, content: Content, env: Environment) -> None:
        self._name = name
        self._content = content
        self._env = env

    def waits(self) -> bool:
        """Whether the body, or a slot that is used in it, has to be awaited."""
        outer = (self._env.scope.find(name, None) for name in self._content.found.slots)
        return self._content.found.waits() or any(isinstance(slot, Filling) and slot.waits() for slot in outer)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the body; arguments are given in their order or by name."""
        if len(arguments) > len(self._content.names):
            count = len(self._content.names)
            raise TypeError(f"the slot '{self._name}' takes {count} argument{'s' * (count != 1)}, not {len(arguments)}")
        given = dict(zip(self._content.names, arguments, strict=False))
        if doubled := sorted(given.keys() & named.keys()):
            raise TypeError(f"the slot '{self._name}' gets its argument '{doubled[0]}' twice")
        running = self._run({**given, **named}, Output(self._content.mode))
        return running if self.waits() else at_once(running)

    async def _run(self, arguments: Mapping[str, Any], out: Output) -> Any:
        for name in arguments:
            if name not in self._content.names:
                raise TypeError(f"the slot '{self._name}' has no argument '{name}'")
        values = {name: arguments.get(name) for name in self._content.names}
        env = self._env.inside(Variables(values, self._env.scope), out)
        value = await finished(self._content.piece, env)
        if self._content.mode != "none":
            return out.result()
        return None if value is NOTHING else value

    async def put(self, env: Environment, node: Node, arguments: Mapping[str, Any]) -> Any:
        """Run the body where a tag has its slot, at ``node``; what it puts out goes to the tag's output."""
        if self._content.mode == env.out.mode and self._content.mode != "none":
            await self._run(arguments, env.out)
            return NOTHING
        value = await self._run(arguments, Output(self._content.mode))
        return env.give(value, node, raw=self._content.mode in {"xml", "html"})
