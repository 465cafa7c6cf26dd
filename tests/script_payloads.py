"""The objects that the payloads try to break out of. Whatever reaches SECRET or the marker file has got out."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import Any

SECRET = "S3CRET"


async def fetch() -> str:
    """A coroutine function, whose frame leads to everything."""
    return SECRET


async def ticks() -> Any:
    """An asynchronous generator function."""
    yield SECRET


def numbers() -> Any:
    """A generator function."""
    hidden = SECRET
    yield len(hidden)


class Meta(type):
    """A metaclass with something to hide."""

    def reveal(cls) -> str:
        """Not for scripts: it is found through ``__class__`` only."""
        return SECRET


class Account(metaclass=Meta):
    """An ordinary object of the host."""

    limit = 5

    def __init__(self) -> None:
        self.owner = "ada"
        self._pin = SECRET

    def balance(self) -> int:
        """A method that scripts may call."""
        return 7

    def fail(self) -> None:
        """Raise an exception that carries the object."""
        raise AttributeError("no such thing", name="x", obj=self)


class Loud(str):
    """A text of a type of its own."""

    __slots__ = ()


@dataclass
class Row:
    """A record."""

    name: str = "row"
    _key: str = SECRET


def frame() -> Any:
    """Return a frame."""
    return sys._getframe()


def failure() -> BaseException:
    """Return an exception with a traceback."""
    try:
        raise ValueError("x")  # noqa: TRY301 - it needs a traceback
    except ValueError as error:
        return error


class Endless:
    """An iterable without an end."""

    def __iter__(self) -> Any:
        return iter(int, 1)


def hosts() -> dict[str, Any]:
    """Return the variables of a payload."""
    import json
    import operator
    import string

    error = failure()
    return {
        "fetch": fetch, "ticks": ticks, "numbers": numbers, "Account": Account, "account": Account(), "loud": Loud("x"),
        "Loud": Loud, "row": Row(), "Row": Row, "frame": frame, "error": error, "trace": error.__traceback__,
        "json_module": json, "string_module": string, "operator_module": operator, "partial": functools.partial(frame),
        "endless": Endless(), "formatter": string.Formatter(), "itemgetter": operator.itemgetter(0), "xs": [1, 2, 3],
        "generator": numbers(), "secret_list": [SECRET], "cls": type, "method": Account().balance, "code": frame.__code__,
    }  # fmt: skip
