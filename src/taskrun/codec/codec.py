"""Values as JSON text that comes back exactly as it was: the same types, the same order, the same keys.

Rules: what JSON knows is written as it is. All else is an object with the members ``$`` (what it is) and ``v`` (of what
it is made); a dictionary that has a key ``$`` itself, or keys that are no text, is such an object too. A value whose
type is not known is an error that names its place, never a guess. Reading unpickles nothing and imports nothing that is
not loaded or allowed. Two references to one object come back as two equal objects.

    >>> from datetime import date
    >>> codecs = Codecs()
    >>> codecs.dumps({"when": date(2026, 2, 3), "ids": (1, 2)})
    '{"when":{"$":"date","v":"2026-02-03"},"ids":{"$":"tuple","v":[1,2]}}'
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from taskrun.codec.builtin_types import BUILDERS, SIMPLE, UnsavableError
from taskrun.codec.classes import FIELDED, Allow, build, class_kind, class_of, members_of, no_module, reference_to
from taskrun.errors import StoreError, UnsavableValueError

TAG = "$"
MAX_DEPTH = 100
"""How deep values may contain values: what is deeper is a chain of objects rather than a result."""
_PLAIN_BITS = 4096
"""Longer integers are written in hexadecimal: Python limits the digits of decimal ones."""
_WIDE = 1 << 64
_SHORT = 40

_quoted = json.encoder.encode_basestring_ascii
_encode = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are saved: ``to_json`` returns any value that can be saved, ``from_json`` takes it back.

    ``name`` is what is written down, so that the class may move. Values of subclasses are not meant.
    """

    name: str
    type: type
    to_json: Callable[[Any], Any]
    from_json: Callable[[Any], Any]


class Codecs:
    """Turns values into text and back. ``allow`` says which modules may be imported to find the class of a value."""

    def __init__(self, codecs: Iterable[Codec] = (), allow: Allow = no_module) -> None:
        own = tuple(codecs)
        self._by_type: Mapping[type, Codec] = MappingProxyType({codec.type: codec for codec in own})
        self._by_name: Mapping[str, Codec] = MappingProxyType({codec.name: codec for codec in own})
        self._allow = allow
        for what, known in (("type", self._by_type), ("name", self._by_name)):
            if len(known) < len(own):
                twice = next(one for one in own if one not in known.values())
                raise ValueError(f"two codecs have the same {what}: that of '{twice.name}' is one of them")

    def dumps(self, value: Any) -> str:
        """Return the text of a value; UnsavableValueError names what in it cannot be saved, and where."""
        try:
            if type(value) is dict and (text := _simple(value)) is not None:
                return text
            return _encode(_Writer(self._by_type).write(value))
        except UnsavableError as problem:
            raise UnsavableValueError(problem.problem, "".join(reversed(problem.pieces))) from problem.__cause__
        except RecursionError:
            raise UnsavableValueError("values are nested too deep for where the run stands") from None

    def saves(self, value: Any) -> bool:
        """Whether a value can be saved."""
        try:
            self.dumps(value)
        except UnsavableValueError:
            return False
        return True

    def loads(self, text: str) -> Any:
        """Return the value of a text that ``dumps`` made; StoreError when that is impossible here."""
        try:
            data = json.loads(text)
            return self._read(data) if '"$"' in text else data  # most values are what JSON knows
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(f"a recorded value cannot be read: {type(error).__name__}: {error}") from error

    def _read(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self._read(one) for one in data]
        if not isinstance(data, dict):
            return data
        kind = data.get(TAG)
        if kind is None:
            return {key: self._read(one) for key, one in data.items()}
        made_of = self._read(data["v"])
        if kind in BUILDERS:
            return BUILDERS[kind](made_of)
        if kind == "codec":
            codec = self._by_name.get(data["name"])
            if codec is None:
                raise StoreError(f"a recorded value needs the codec '{data['name']}', which is not registered here")
            return codec.from_json(made_of)
        return build(class_of(data["name"], kind, self._allow), kind, made_of)


class _Writer:
    """One walk over a value."""

    def __init__(self, codecs: Mapping[type, Codec]) -> None:
        self._codecs = codecs
        self._open: set[int] = set()

    def write(self, value: Any) -> Any:
        """Return what JSON can hold for a value."""
        cls = type(value)
        if cls in _PLAIN and _PLAIN[cls](value):
            return value
        simple = SIMPLE.get(cls)
        if simple is not None:
            parts = simple.parts(value)
            return {TAG: simple.tag, "v": [self.write(one) for one in parts] if type(parts) is list else parts}
        me = id(value)
        if me in self._open:
            raise UnsavableError("it contains itself")
        if len(self._open) == MAX_DEPTH:
            raise UnsavableError(f"values are nested deeper than {MAX_DEPTH} levels")
        self._open.add(me)
        written = self._container(value, cls)
        self._open.remove(me)
        return written

    def _container(self, value: Any, cls: type) -> Any:
        if cls is dict:
            return self._dict(value)
        if cls is list or cls is tuple:
            items = [self._part(one, f"[{index}]") for index, one in enumerate(value)]
            return items if cls is list else {TAG: "tuple", "v": items}
        if cls is set or cls is frozenset:
            # in the order of their texts, so that equal sets are equal texts
            return {
                TAG: cls.__name__,
                "v": sorted((self._part(one, f"{{{_short(one)}}}") for one in value), key=_encode),
            }
        codec = self._codecs.get(cls)
        if codec is not None:
            return {TAG: "codec", "name": codec.name, "v": self.write(_ask(codec.to_json, value, codec.name))}
        kind = class_kind(cls)
        if kind is None:
            raise UnsavableError(_unknown(cls))
        members = members_of(value, kind)
        if kind in FIELDED:
            written = {name: self._part(one, f".{name}") for name, one in members.items()}
        else:
            written = self.write(members)
        return {TAG: kind, "name": reference_to(cls), "v": written}

    def _dict(self, value: dict[Any, Any]) -> Any:
        if all(type(key) is str and _is_text(key) for key in value) and TAG not in value:
            return {key: self._part(one, f"[{key!r}]") for key, one in value.items()}
        pairs = [
            [self._part(key, f"<key {_short(key)}>"), self._part(one, f"[{_short(key)}]")] for key, one in value.items()
        ]
        return {TAG: "dict", "v": pairs}

    def _part(self, value: Any, piece: str) -> Any:
        try:
            return self.write(value)
        except UnsavableError as problem:
            problem.pieces.append(piece)
            raise


def _simple(value: dict[Any, Any]) -> str | None:
    """Return the text of a dictionary of short plain values, made fast; None for what needs a closer look."""
    parts = []
    for key, one in value.items():
        cls = one.__class__
        if cls is str and one.isascii():
            text = _quoted(one)
        elif cls is int and -_WIDE < one < _WIDE:
            text = int.__repr__(one)
        elif one is None:
            text = "null"
        elif cls is bool:
            text = "true" if one else "false"
        else:
            return None
        if key.__class__ is not str or not key.isascii() or key == TAG:
            return None
        parts.append(f"{_quoted(key)}:{text}")
    return f"{{{','.join(parts)}}}"


def _is_text(value: str) -> bool:
    """Whether UTF-8 can hold a text: JSON would join lone surrogates into one character."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_PLAIN: Mapping[type, Callable[[Any], bool]] = MappingProxyType(
    {
        type(None): lambda _: True,
        bool: lambda _: True,
        str: _is_text,
        int: lambda value: value.bit_length() <= _PLAIN_BITS,
        float: lambda value: value - value == 0,  # neither infinite nor NaN
    }
)
"""The types that JSON knows, and which of their values it keeps."""


def _ask(function: Callable[[Any], Any], value: Any, name: str) -> Any:
    """Call a codec of the user's."""
    try:
        return function(value)
    except Exception as error:
        raise UnsavableError(f"the codec '{name}' failed: {type(error).__name__}: {error}") from error


def _short(value: Any) -> str:
    """Return a value as a message can show it; its own text may fail."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001
        text = type(value).__name__
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _unknown(cls: type) -> str:
    known = next(
        (base.__name__ for base in cls.__mro__[1:-1] if base in SIMPLE or base in (dict, list, tuple, set)), None
    )
    if known is not None:
        return f"a {cls.__module__}.{cls.__qualname__} cannot be saved: make a plain {known} of it, or register a codec"
    return f"a {cls.__module__}.{cls.__qualname__} cannot be saved: return what it is made of, or register a codec"
