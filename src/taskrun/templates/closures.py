"""What a template is compiled to: pieces, the environment that they run in, and how they are left.

Rules: a piece is an async function of an environment. A template of which nothing awaits is run without an event loop.
``c:return``, ``c:break`` and ``c:continue`` are exceptions here, which never leave the template; a failure is the exception that
a script or a tag raised.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from taskrun.script.limits import ScriptBudgetError
from taskrun.script.scope import Names, UnknownVariableError

if TYPE_CHECKING:
    from taskrun.script.sandbox.budget import Budget
    from taskrun.syntax.node import Node
    from taskrun.templates.output import Output

MAX_CALLS = 60
"""How deep tags may call tags."""


class Nothing(enum.Enum):
    """What a piece gives that has no value, such as ``c:var``: the value of the body stays what it was."""

    NOTHING = 0


NOTHING = Nothing.NOTHING


class Leave(BaseException):
    """A piece is left; no script can catch it."""


class Return(Leave):
    """The template, the tag or the slot ends with a value, which ``node`` gives."""

    def __init__(self, value: Any, node: Node) -> None:
        super().__init__()
        self.value = value
        self.node = node


class Break(Leave):
    """The loop ends."""


class Continue(Leave):
    """The loop's next turn begins."""


class Environment:
    """What pieces work on: the variables, where output goes, the budget, and how deep tags call tags."""

    __slots__ = ("budget", "depth", "out", "scope")

    def __init__(self, scope: Names, out: Output, budget: Budget, depth: int = 0) -> None:
        self.scope = scope
        self.out = out
        self.budget = budget
        self.depth = depth

    def into(self, out: Output) -> Environment:
        """Return this environment with another output."""
        return Environment(self.scope, out, self.budget, self.depth)

    def give(self, value: Any, node: Node, *, raw: bool = False, null: bool = True) -> Any:
        """Return the value of a tag where nothing is put out; elsewhere put it out, which leaves NOTHING.

        ``raw`` is as for the output; without ``null`` a value that is null is not put out.
        """
        if self.out.mode == "none":
            return value
        if null or value is not None:
            self.out.value(value, node, raw=raw)
        return NOTHING

    def inside(self, scope: Names, out: Output) -> Environment:
        """Return the environment of a tag's or a slot's body."""
        if self.depth >= MAX_CALLS:
            raise ScriptBudgetError(f"the template was stopped: tags call tags more than {MAX_CALLS} deep")
        self.budget.charge(1)
        return Environment(scope, out, self.budget, self.depth + 1)


Piece: TypeAlias = Callable[[Environment], Awaitable[Any]]


async def nothing(_env: Environment) -> Any:
    """The piece that does nothing."""
    return NOTHING


def sequence(pieces: list[Piece]) -> Piece:
    """Return the piece that runs pieces in turn; its value is that of the last one that has a value."""
    pieces = [piece for piece in pieces if piece is not nothing]
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return nothing

    async def run(env: Environment) -> Any:
        value: Any = NOTHING
        for piece in pieces:
            given = await piece(env)
            if given is not NOTHING:
                value = given
        return value

    return run


class Variables:
    """The variables of a tag's body, which sees nothing else, or of a slot's, which sees the caller's through it."""

    __slots__ = ("_own", "_parent")

    def __init__(self, own: dict[str, Any], parent: Names | None = None) -> None:
        self._own = own
        self._parent = parent

    def __getitem__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        if self._parent is None:
            raise UnknownVariableError(name=name)
        return self._parent[name]

    def __contains__(self, name: object) -> bool:
        return name in self._own or (self._parent is not None and name in self._parent)

    def find(self, name: str, default: Any, /) -> Any:
        """Return a variable, or ``default``."""
        if name in self._own:
            return self._own[name]
        return default if self._parent is None else self._parent.find(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._own or self._parent is None:
            self._own[name] = value
        else:
            self._parent[name] = value

    def pop(self, name: str, default: Any, /) -> Any:
        """Take a variable away."""
        return self._own.pop(name, default)

    def names(self) -> Iterator[str]:
        """Yield every name."""
        yield from self._own
        if self._parent is not None:
            yield from self._parent.names()


async def finished(piece: Piece, env: Environment) -> Any:
    """Run a body to its end, or until it is left by a return, and return its value: NOTHING where it puts something out.

    What is returned where something is put out is put out too.
    """
    try:
        value = await piece(env)
    except Return as left:
        value = left.value
        if env.out.mode != "none" and value is not None:
            env.out.value(value, left.node)
    return value if env.out.mode == "none" else NOTHING


def at_once(running: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine gives that waits for nothing."""
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    running.close()
    raise TypeError("a template that waits is possible in the source of a step only")
