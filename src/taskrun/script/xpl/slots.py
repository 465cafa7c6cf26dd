"""A slot that a caller has filled: what the body of a tag calls.

Rules: its body runs with the variables of the place that filled it, over them its arguments. Called from a script it gives
its value, or what it puts out; where its body waits, the call is awaited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskrun.script.guard import Closed
from taskrun.script.xpl.output import Output
from taskrun.script.xpl.piece import NOTHING, Environment, Piece, Return, Variables, at_once


class Filling(Closed):
    """The filling of a slot, as a function of the slot's arguments."""

    __slots__ = ("_env", "_mode", "_name", "_names", "_piece", "_suspends")

    def __init__(
        self, name: str, names: tuple[str, ...], piece: Piece, env: Environment, mode: str, *, suspends: bool
    ) -> None:
        self._name = name
        self._names = names
        self._piece = piece
        self._env = env
        self._mode = mode
        self._suspends = suspends

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the body; arguments are given in their order or by name."""
        if len(arguments) > len(self._names):
            raise TypeError(f"the slot '{self._name}' takes {len(self._names)} arguments, not {len(arguments)}")
        running = self._run({**dict(zip(self._names, arguments, strict=False)), **named}, Output(self._mode))
        return running if self._suspends else at_once(running)

    async def _run(self, arguments: Mapping[str, Any], out: Output) -> Any:
        for name in arguments:
            if name not in self._names:
                raise TypeError(f"the slot '{self._name}' has no argument '{name}'")
        values = {name: arguments.get(name) for name in self._names}
        env = self._env.inside(Variables(values, self._env.scope), out)
        try:
            value = await self._piece(env)
        except Return as left:
            value = left.value
        if self._mode != "none":
            return out.result()
        return None if value is NOTHING else value

    async def put(self, env: Environment, arguments: Mapping[str, Any]) -> Any:
        """Run the body where a tag has its slot; what it puts out goes to the tag's output."""
        if self._mode == env.out.mode and self._mode != "none":
            await self._run(arguments, env.out)
            return NOTHING
        return await self._run(arguments, Output(self._mode))
