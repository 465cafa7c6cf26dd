"""Methods of strings in XScript: the table TEXT maps the names of JavaScript and Java to Python functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.sandbox.bounded_operators import multiply, sized_method
from taskrun.script.sandbox.size_limits import check_size
from taskrun.script.xscript.values import equal, text


def _substring(value: str, start: int, end: int | None = None) -> str:
    first, last = max(0, start), len(value) if end is None else max(0, end)
    return value[min(first, last) : max(first, last)]


def _slice(value: str, start: int = 0, end: int | None = None) -> str:
    return value[start:end]


def _substr(value: str, start: int, length: int | None = None) -> str:
    """Return at most ``length`` characters from the index ``start``; a negative index counts from the end."""
    start = max(0, len(value) + start) if start < 0 else start
    return value[start:] if length is None else value[start : start + max(0, length)]


def _char(value: str, index: int = 0) -> str:
    return value[index] if 0 <= index < len(value) else ""


def _split(value: str, separator: str | None = None, limit: int | None = None) -> list[str]:
    parts = [value] if separator is None else value.split(separator) if separator else list(value)
    return parts if limit is None or limit < 0 else parts[:limit]


def _replace_first(value: str, old: str, new: Any) -> str:
    return str(sized_method(value, "replace")(old, text(new), 1))


def _replace_all(value: str, old: str, new: Any) -> str:
    return str(sized_method(value, "replace")(old, text(new)))


def _repeat(value: str, count: int) -> str:
    if count < 0:
        raise ValueError(f"a text cannot be repeated {count} times")
    return str(multiply(value, count))


def _pad_start(value: str, length: int, fill: str = " ") -> str:
    return _padding(value, length, fill) + value


def _pad_end(value: str, length: int, fill: str = " ") -> str:
    return value + _padding(value, length, fill)


def _padding(value: str, length: int, fill: str) -> str:
    """Return the characters that must be added to ``value`` to extend it to ``length``.

    They are ``fill``, repeated and cut. The result is empty if ``value`` is long enough.
    """
    check_size(length, text=True)
    missing = max(0, length - len(value))
    return (fill * (missing // len(fill) + 1))[:missing] if fill else ""


def _concat(value: str, *others: Any) -> str:
    pieces = [value, *map(text, others)]
    check_size(sum(map(len, pieces)), text=True)
    return "".join(pieces)


def _converter(kind: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a method that converts a string with ``kind``, such as ``int``.

    The method takes the value for a blank string as its argument. With ``_converter(int)`` as ``$toInt``,
    ``"12".$toInt()`` is 12 and ``" ".$toInt(5)`` is 5.
    """

    def convert(value: str, default: Any = None) -> Any:
        stripped = value.strip()
        if not stripped:
            return default
        return kind(stripped)

    return convert


def _boolean(value: str) -> bool:
    """Return True for ``"true"`` and False for ``"false"``, in upper or lower case.

    Raises ValueError for any other string.
    """
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError(f"'{value}' is neither true nor false")


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


TEXT: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "length": len, "size": len, "isEmpty": lambda value: not value, "isBlank": lambda value: not value.strip(),
        "trim": str.strip, "strip": str.strip, "trimStart": str.lstrip, "trimEnd": str.rstrip,
        "substring": _substring, "substr": _substr, "slice": _slice, "charAt": _char,
        "indexOf": lambda value, part, start=0: value.find(part, start),
        "lastIndexOf": lambda value, part: value.rfind(part),
        "includes": lambda value, part: part in value, "contains": lambda value, part: part in value,
        "startsWith": lambda value, part: value.startswith(part), "endsWith": lambda value, part: value.endswith(part),
        "split": _split, "toUpperCase": str.upper, "toLowerCase": str.lower,
        "replace": _replace_all, "replaceAll": _replace_all, "replaceFirst": _replace_first, "concat": _concat,
        "repeat": _repeat, "padStart": _pad_start, "padEnd": _pad_end, "equals": equal,
        "equalsIgnoreCase": lambda value, other: isinstance(other, str) and value.casefold() == other.casefold(),
        "compareTo": lambda value, other: (value > other) - (value < other), "toString": text,
        "$toInt": _converter(int), "$toLong": _converter(int), "$toDouble": _converter(float),
        "$toBoolean": _converter(_boolean), "$toString": text,
        "$fileName": _file_name,
        "$fileExt": lambda path: _file_name(path).rpartition(".")[2] if "." in _file_name(path) else "",
        "$isEmpty": lambda value: not value,
    }
)  # fmt: skip
