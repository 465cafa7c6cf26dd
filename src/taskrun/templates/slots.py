"""Slot bodies: the content that a caller passes for a slot, as a function that the called tag can call.

Rules: a slot body runs with the caller's variables plus the slot's arguments. A script that calls the function gets the
value or the output of the slot body. If the body has to be awaited, the call returns an awaitable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.script.sandbox.guard import Opaque
from taskrun.templates.closures import (
    NO_VALUE,
    Environment,
    TemplateNode,
    TemplateVariables,
    run_body,
    run_synchronously,
)
from taskrun.templates.output import TemplateOutput

if TYPE_CHECKING:
    from taskrun.syntax.node import Node
    from taskrun.templates.analysis import TemplateFacts


class SlotBody(NamedTuple):
    """Compiled content that a call of a tag passes for a slot; a SlotFunction runs it.

    ``names`` are the arguments of the slot. ``compiled`` is the content as a template node, ``facts`` are the facts
    about it, ``mode`` is its output mode.
    """

    names: tuple[str, ...]
    compiled: TemplateNode
    facts: TemplateFacts
    mode: str


class SlotFunction(Opaque):
    """Slot body as a function: scripts of the called tag call it with the slot's arguments.

    They cannot read its attributes. ``env`` is the environment of the caller of the tag, in which the body runs.
    """

    __slots__ = ("_body", "_env", "_name")

    def __init__(self, name: str, body: SlotBody, env: Environment) -> None:
        self._name = name
        self._body = body
        self._env = env

    def needs_await(self) -> bool:
        """Return whether a call has to be awaited, because the slot body or a slot that it runs has to be awaited."""
        outer = (self._env.scope.find(name, None) for name in self._body.facts.slots)
        return self._body.facts.needs_await() or any(
            isinstance(slot, SlotFunction) and slot.needs_await() for slot in outer
        )

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the slot body with arguments given by position or name; return its value or output.

        If the body has to be awaited, the result is an awaitable.
        """
        if len(arguments) > len(self._body.names):
            count = len(self._body.names)
            raise TypeError(f"the slot '{self._name}' takes {count} argument{'s' * (count != 1)}, not {len(arguments)}")
        given = dict(zip(self._body.names, arguments, strict=False))
        if doubled := sorted(given.keys() & named.keys()):
            raise TypeError(f"the slot '{self._name}' gets its argument '{doubled[0]}' twice")
        running = self._run({**given, **named}, TemplateOutput(self._body.mode))
        return running if self.needs_await() else run_synchronously(running)

    async def _run(self, arguments: Mapping[str, Any], out: TemplateOutput) -> Any:
        """Run the slot body with the output ``out``; return its value in the output mode ``none``, else its output.

        An argument that is not given is null; an unknown one raises TypeError.
        """
        for name in arguments:
            if name not in self._body.names:
                raise TypeError(f"the slot '{self._name}' has no argument '{name}'")
        values = {name: arguments.get(name) for name in self._body.names}
        env = self._env.for_call(TemplateVariables(values, self._env.scope), out)
        value = await run_body(self._body.compiled, env)
        if self._body.mode != "none":
            return out.result()
        return None if value is NO_VALUE else value

    async def emit(self, env: Environment, node: Node, arguments: Mapping[str, Any]) -> Any:
        """Run the slot body for an element with ``xpl:slot`` (``node``) in the body of the called tag.

        ``env`` is the environment of this tag. In its output mode ``none`` the result of the slot body is returned;
        otherwise it is added to the tag's output, and NO_VALUE is returned.
        """
        if self._body.mode == env.out.mode and self._body.mode != "none":
            await self._run(arguments, env.out)
            return NO_VALUE
        value = await self._run(arguments, TemplateOutput(self._body.mode))
        return env.emit_or_return(value, node, raw=self._body.mode in {"xml", "html"})
