"""``re``: regular expressions for scripts, on the package regex, which can be stopped.

Rules: every call ends within ``SECONDS``, with TimeoutError if need be; patterns and results are capped in size. A match
is shown by a small object of our own with a fixed list of methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.bounded_operators import measured
from taskrun.script.sandbox.size_limits import within

SECONDS = 1.0
MAX_PATTERN = 2_000


class Match:
    """What a pattern matched. The groups are texts, None for one that took no part."""

    __slots__ = ("_match",)

    def __init__(self, match: Any) -> None:
        self._match = match

    def __repr__(self) -> str:
        return f"Match({self._match[0]!r}, {self._match.start()}, {self._match.end()})"

    def __getitem__(self, group: int | str) -> Any:
        return self._match[group]

    def group(self, *groups: int | str) -> Any:
        """Return a group (0: the whole match), or a tuple of several."""
        return self._match.group(*groups)

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        """Return all groups."""
        return tuple(self._match.groups(default))

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        """Return the named groups."""
        return dict(self._match.groupdict(default))

    def start(self, group: int | str = 0) -> int:
        """Return where a group begins."""
        return int(self._match.start(group))

    def end(self, group: int | str = 0) -> int:
        """Return where a group ends."""
        return int(self._match.end(group))

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """Return both."""
        return self.start(group), self.end(group)


def _compiled(pattern: str, flags: int = 0) -> Any:
    import regex

    if not isinstance(pattern, str):
        raise TypeError(f"a pattern is a text, not {type(pattern).__name__}")
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"a pattern has at most {MAX_PATTERN:,} characters, this one {len(pattern):,}")
    try:
        return regex.compile(pattern, flags | regex.VERSION0)
    except regex.error as error:
        raise ValueError(f"not a valid pattern: {error}") from None


def _limited(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments, timeout=SECONDS)
    except TimeoutError:
        late = TimeoutError(f"the pattern took longer than {SECONDS:g} s")
    raise late


def _matcher(name: str) -> Callable[..., Match | None]:
    def find(pattern: str, text: str, flags: int = 0) -> Match | None:
        found = _limited(getattr(_compiled(pattern, flags), name), text)
        return None if found is None else Match(found)

    find.__name__ = name
    return find


def findall(pattern: str, text: str, flags: int = 0) -> list[Any]:
    """Return all that match: texts, or tuples when there are several groups."""
    return list(_limited(_compiled(pattern, flags).findall, text))


def finditer(pattern: str, text: str, flags: int = 0) -> list[Match]:
    """Return all matches, as a list."""
    found = _limited(_compiled(pattern, flags).finditer, text)
    try:
        return [Match(match) for match in found]
    except TimeoutError:
        late = TimeoutError(f"the pattern took longer than {SECONDS:g} s")
    raise late


def split(pattern: str, text: str, maxsplit: int = 0, flags: int = 0) -> list[Any]:
    """Return the parts of a text between the matches."""
    return list(_limited(_compiled(pattern, flags).split, text, maxsplit))


def sub(pattern: str, replacement: Any, text: str, count: int = 0, flags: int = 0) -> str:
    r"""Return a text with the matches replaced, by a text (``\1`` is a group) or by what a function gives."""
    compiled = _compiled(pattern, flags)
    total = 0

    def replaced(match: Any) -> str:
        nonlocal total
        value = replacement(Match(match)) if callable(replacement) else match.expand(replacement)
        total += len(value)
        within(total, text=True)
        return str(value)

    return str(measured(_limited(compiled.sub, replaced, text, count)))


def escape(text: str) -> str:
    """Return a pattern that matches exactly this text."""
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
def members() -> Mapping[str, Any]:
    """Return what ``re`` has in a script."""
    functions: Iterable[Callable[..., Any]] = (
        _matcher("match"), _matcher("search"), _matcher("fullmatch"), findall, finditer, split, sub, escape,
    )  # fmt: skip
    return MappingProxyType({function.__name__: function for function in functions} | dict(_FLAGS))
