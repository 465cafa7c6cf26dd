"""Methods of TaskManager that can be called on the class too, and methods that a part of it implements.

TaskManager.run("greet.task.xml")               # on the class: the object with default settings
TaskManager(store="sqlite:///runs.db").resume   # the method of ``manager.runs``
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")
Owner = TypeVar("Owner")


class OnClassToo(Generic[Parameters, Returned]):
    """A method that can be called on the class, where it works on the one object with default settings.

    ``part`` is the attribute of the object that implements the method, "" when it does so itself.
    """

    def __init__(self, method: Callable[Concatenate[Any, Parameters], Returned], part: str = "") -> None:
        self.method = method
        self.part = part
        self.__doc__ = method.__doc__

    def __get__(self, owner: Any, cls: type) -> Callable[Parameters, Returned]:
        target = default_of(cls) if owner is None else owner
        return self.method.__get__(getattr(target, self.part) if self.part else target)  # type: ignore[no-any-return]


@cache
def default_of(cls: type) -> Any:
    """Return the object with default settings; creating it may scan all installed packages."""
    return cls()


def blocking(
    method: Callable[Concatenate[Owner, Parameters], Coroutine[Any, Any, Returned]],
) -> Callable[Concatenate[Owner, Parameters], Returned]:
    """Return a method that runs a coroutine method to its end in an event loop of its own.

    Inside a running event loop it raises RuntimeError that names the coroutine method.
    """
    name = method.__name__.removesuffix("_async")

    def call(self: Owner, /, *arguments: Parameters.args, **named: Parameters.kwargs) -> Returned:
        refuse_in_loop(name)
        return asyncio.run(method(self, *arguments, **named))

    call.__name__, call.__doc__ = name, method.__doc__
    return call


def refuse_in_loop(name: str) -> None:
    """Raise RuntimeError inside a running event loop, where a blocking call would stop the loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"TaskManager.{name}() inside a running event loop: use await TaskManager.{name}_async()")
