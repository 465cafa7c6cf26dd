"""Methods that work on the class too: ``TaskManager.run(…)`` as well as ``TaskManager(…).run(…)``.

Rules: called on the class, a method works on one object of it with default settings, made when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class OnClassToo(Generic[Parameters, Returned]):
    """A method that, called on the class, works on the one object with default settings."""

    def __init__(self, method: Callable[Concatenate[Any, Parameters], Returned]) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, manager: Any, cls: type) -> Callable[Parameters, Returned]:
        return self.method.__get__(default_of(cls) if manager is None else manager, cls)  # type: ignore[no-any-return]


@cache
def default_of(cls: type) -> Any:
    """Return the object behind calls on the class: making one may look through all installed packages."""
    return cls()
