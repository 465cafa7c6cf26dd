"""The module ``re`` of scripts: regular expressions with a timeout, based on the package ``regex``.

Rules: every call ends within ``SECONDS``, otherwise it raises TimeoutError. The sizes of patterns and results are
limited. A match is an instance of the class Match below, which has only some of the methods of ``re.Match``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.bounded_operators import checked_sequence
from taskrun.script.sandbox.size_limits import check_size

SECONDS = 1.0
MAX_PATTERN = 2_000


class Match:
    """Match of a pattern, as scripts get it from ``re.search`` and the like.

    The value of a group is a text, or None if the group did not take part in the match.
    """

    __slots__ = ("_match",)

    def __init__(self, match: Any) -> None:
        self._match = match

    def __repr__(self) -> str:
        return f"Match({self._match[0]!r}, {self._match.start()}, {self._match.end()})"

    def __getitem__(self, group: int | str) -> Any:
        return self._match[group]

    def group(self, *groups: int | str) -> Any:
        """Return the value of one group (0 is the whole match), or a tuple of the values of several groups."""
        return self._match.group(*groups)

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        """Return the values of all groups from 1; a group that did not take part in the match has ``default``."""
        return tuple(self._match.groups(default))

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        """Return the values of the named groups by name; one that did not take part in the match has ``default``."""
        return dict(self._match.groupdict(default))

    def start(self, group: int | str = 0) -> int:
        """Return the index at which a group starts."""
        return int(self._match.start(group))

    def end(self, group: int | str = 0) -> int:
        """Return the index behind the last character of a group."""
        return int(self._match.end(group))

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """Return the start and end index of a group; the end index is behind its last character."""
        return self.start(group), self.end(group)


def _compile(pattern: str, flags: int = 0) -> Any:
    """Return the compiled pattern; raises ValueError if it is too long or not valid, TypeError if it is not a text."""
    import regex

    if not isinstance(pattern, str):
        raise TypeError(f"a pattern is a text, not {type(pattern).__name__}")
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"a pattern has at most {MAX_PATTERN:,} characters, this one {len(pattern):,}")
    try:
        return regex.compile(pattern, flags | regex.VERSION0)
    except regex.error as error:
        raise ValueError(f"not a valid pattern: {error}") from None


def _timeout_error() -> TimeoutError:
    """Return the error for a pattern that took too long.

    The callers raise it outside of their ``except`` block, so that the error of ``regex`` is not chained to it.
    """
    return TimeoutError(f"the pattern took longer than {SECONDS:g} s")


def _call_limited(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method of a compiled pattern and return its result; raises TimeoutError after ``SECONDS``."""
    try:
        return function(*arguments, timeout=SECONDS)
    except TimeoutError:
        late = _timeout_error()
    raise late


def _matcher(name: str) -> Callable[..., Match | None]:
    """Create one of the functions ``match``, ``search`` and ``fullmatch`` of ``re``, which return a Match or None."""

    def find(pattern: str, text: str, flags: int = 0) -> Match | None:
        found = _call_limited(getattr(_compile(pattern, flags), name), text)
        return None if found is None else Match(found)

    find.__name__ = name
    return find


def findall(pattern: str, text: str, flags: int = 0) -> list[Any]:
    """Implement ``re.findall``: return the texts of all matches, or of the group if the pattern has one.

    If the pattern has several groups, return a tuple of their texts for each match.
    """
    return list(_call_limited(_compile(pattern, flags).findall, text))


def finditer(pattern: str, text: str, flags: int = 0) -> list[Match]:
    """Implement ``re.finditer``: return the matches of a pattern in a text, as a list instead of an iterator."""
    found = _call_limited(_compile(pattern, flags).finditer, text)
    try:
        return [Match(match) for match in found]
    except TimeoutError:
        late = _timeout_error()
    raise late


def split(pattern: str, text: str, maxsplit: int = 0, flags: int = 0) -> list[Any]:
    """Implement ``re.split``: return the parts of a text between the matches, and the groups of the pattern."""
    return list(_call_limited(_compile(pattern, flags).split, text, maxsplit))


def sub(pattern: str, replacement: Any, text: str, count: int = 0, flags: int = 0) -> str:
    r"""Implement ``re.sub``: return the text with the matches replaced, at most ``count`` of them unless it is 0.

    ``replacement`` is a text, in which ``\1`` means a group, or a function that gets the Match and returns a text.
    """
    compiled = _compile(pattern, flags)
    total = 0

    def replaced(match: Any) -> str:
        nonlocal total
        value = replacement(Match(match)) if callable(replacement) else match.expand(replacement)
        total += len(value)
        check_size(total, text=True)
        return str(value)

    return str(checked_sequence(_call_limited(compiled.sub, replaced, text, count)))


def escape(text: str) -> str:
    """Implement ``re.escape``: return a pattern that matches exactly ``text``."""
    import regex

    return str(regex.escape(text))


_FLAGS: Mapping[str, int] = MappingProxyType(
    {
        "IGNORECASE": 2,
        "I": 2,
        "MULTILINE": 8,
        "M": 8,
        "DOTALL": 16,
        "S": 16,
        "VERBOSE": 64,
        "X": 64,
        "ASCII": 128,
        "A": 128,
    }
)


@cache
def regex_members() -> Mapping[str, Any]:
    """Return the functions and flags of the module ``re`` of scripts, by name."""
    functions: Iterable[Callable[..., Any]] = (
        _matcher("match"), _matcher("search"), _matcher("fullmatch"), findall, finditer, split, sub, escape,
    )  # fmt: skip
    return MappingProxyType({function.__name__: function for function in functions} | dict(_FLAGS))
