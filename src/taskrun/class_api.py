"""Descriptors for methods of TaskManager that can also be called on the class, and for blocking forms of coroutines.

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
    """Descriptor of a method that can also be called on the class, and then uses a shared object with default settings.

    ``part`` is the attribute of the object that implements the method, "" if the object itself implements it.
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
    """Return the shared object of a class, created with default settings at the first call.

    Creating a TaskManager may scan all installed packages for entry points.
    """
    return cls()


def blocking(
    method: Callable[Concatenate[Owner, Parameters], Coroutine[Any, Any, Returned]],
) -> Callable[Concatenate[Owner, Parameters], Returned]:
    """Return the blocking form of a coroutine method: it runs the coroutine in a new event loop and returns the result.

    Inside a running event loop it raises RuntimeError with the name of the coroutine method.
    """
    name = method.__name__.removesuffix("_async")

    def call(self: Owner, /, *arguments: Parameters.args, **named: Parameters.kwargs) -> Returned:
        refuse_in_loop(name)
        return asyncio.run(method(self, *arguments, **named))

    call.__name__, call.__doc__ = name, method.__doc__
    return call


def refuse_in_loop(name: str) -> None:
    """Raise RuntimeError if an event loop runs in this thread, because a blocking call would stop it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"TaskManager.{name}() inside a running event loop: use await TaskManager.{name}_async()")
