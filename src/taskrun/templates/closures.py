"""Template nodes (compiled elements of a template), the environment in which they run, and their control flow.

Rules: a template node is an async function of an environment. A template in which nothing is awaited runs without an
event loop. ``c:return``, ``c:break`` and ``c:continue`` raise exceptions that never leave the template; any other
exception is a failure that a script or a tag raised.
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
    from taskrun.templates.output import TemplateOutput

MAX_CALLS = 60
"""The maximal nesting of calls of tags and slots."""


class NoValue(enum.Enum):
    """Type of the constant NO_VALUE, which a template node without a value, such as that of ``c:var``, returns.

    A body has the value of its last template node that has one; NO_VALUE does not count.
    """

    NO_VALUE = 0


NO_VALUE = NoValue.NO_VALUE


class ControlFlow(BaseException):
    """Base class of the exceptions of ``c:return``, ``c:break`` and ``c:continue``; scripts cannot catch them."""


class Return(ControlFlow):
    """Exception of ``c:return``: ends the running template, tag body or slot body with the value ``value``.

    ``node`` is the element that raised it.
    """

    def __init__(self, value: Any, node: Node) -> None:
        super().__init__()
        self.value = value
        self.node = node


class Break(ControlFlow):
    """Exception of ``c:break``: ends the innermost loop of the template."""


class Continue(ControlFlow):
    """Exception of ``c:continue``: ends the current iteration of the innermost loop of the template."""


class Environment:
    """State of a running template: variables (``scope``), output (``out``), budget, and depth of nested tag calls."""

    __slots__ = ("budget", "depth", "out", "scope")

    def __init__(self, scope: Names, out: TemplateOutput, budget: Budget, depth: int = 0) -> None:
        self.scope: Names = scope
        self.out: TemplateOutput = out
        self.budget: Budget = budget
        self.depth: int = depth

    def with_output(self, out: TemplateOutput) -> Environment:
        """Return a copy of this environment that writes to another output."""
        return Environment(self.scope, out, self.budget, self.depth)

    def emit_or_return(self, value: Any, node: Node, *, raw: bool = False, null: bool = True) -> Any:
        """Pass on the value of a tag: in the mode ``none`` return it, else add it to the output and return NO_VALUE.

        ``node`` is the element of the tag. ``raw`` adds the value without escaping ``<`` and the like; ``null=False``
        adds nothing for null.
        """
        if self.out.mode == "none":
            return value
        if null or value is not None:
            self.out.add_value(value, node, raw=raw)
        return NO_VALUE

    def for_call(self, scope: Names, out: TemplateOutput) -> Environment:
        """Return the environment for the body of a called tag or slot, with its own variables and output.

        It charges a tick. Raises ScriptBudgetError if calls are nested too deep.
        """
        if self.depth >= MAX_CALLS:
            raise ScriptBudgetError(f"the template was stopped: calls of tags are nested more than {MAX_CALLS} deep")
        self.budget.charge(1)
        return Environment(scope, out, self.budget, self.depth + 1)


TemplateNode: TypeAlias = Callable[[Environment], Awaitable[Any]]
"""Compiled element of a template: runs in an environment and returns its value or NO_VALUE."""


async def no_op(_env: Environment) -> Any:
    """Do nothing and return NO_VALUE: the template node of elements that have no effect or have problems."""
    return NO_VALUE


def sequence(nodes: list[TemplateNode]) -> TemplateNode:
    """Return a template node that runs ``nodes`` in order; its value is the last value that is not NO_VALUE."""
    nodes = [node for node in nodes if node is not no_op]
    if len(nodes) == 1:
        return nodes[0]
    if not nodes:
        return no_op

    async def run(env: Environment) -> Any:
        value: Any = NO_VALUE
        for node in nodes:
            result = await node(env)
            if result is not NO_VALUE:
                value = result
        return value

    return run


class TemplateVariables:
    """Scope of the body of a tag or slot, with the variables ``own``.

    ``parent`` is the caller's scope for a slot body, whose scripts can also read and assign the caller's variables. The
    body of a tag has no parent.
    """

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
        """Return the value of a variable of this scope or its parent, or ``default`` if it does not exist."""
        if name in self._own:
            return self._own[name]
        return default if self._parent is None else self._parent.find(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._own or self._parent is None:
            self._own[name] = value
        else:
            self._parent[name] = value

    def pop(self, name: str, default: Any, /) -> Any:
        """Remove a variable of this scope, not of the parent; return its value, or ``default`` if there is none."""
        return self._own.pop(name, default)

    def names(self) -> Iterator[str]:
        """Yield the names of all variables that can be read, those of the parent included."""
        yield from self._own
        if self._parent is not None:
            yield from self._parent.names()


async def run_body(body: TemplateNode, env: Environment) -> Any:
    """Run the body of a template, tag or slot up to its end or a ``c:return``.

    In the output mode ``none`` return its value. In other modes the value of a ``c:return`` is added to the output, and
    NO_VALUE is returned.
    """
    try:
        value = await body(env)
    except Return as returned:
        value = returned.value
        if env.out.mode != "none" and value is not None:
            env.out.add_value(value, returned.node)
    return value if env.out.mode == "none" else NO_VALUE


def run_synchronously(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end without an event loop and return its result.

    Raises TypeError if the coroutine really waits for something, which is impossible without an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise TypeError("a template that has to be awaited is possible in the source of a step only")
