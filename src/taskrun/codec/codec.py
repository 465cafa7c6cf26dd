"""Convert values to JSON text, and back to equal values: same types, same order, same keys.

Rules: a value that JSON supports is written unchanged. Any other value is written as an object with the members ``$``
(the kind of value) and ``v`` (its parts). So is a dictionary that has a key ``$`` or keys that are not text. A value of
an unsupported type is an error that names its place in the whole value. Reading unpickles nothing, and imports only
modules that ``allow`` permits. Two references to one object are restored as two equal objects.

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

from taskrun.codec.builtin_types import BUILDERS, BUILTIN_TYPES, UnsavableError
from taskrun.codec.classes import (
    KINDS_WITH_FIELDS,
    ImportFilter,
    allow_no_import,
    build,
    class_kind,
    class_reference,
    parts_of_value,
    resolve_class,
)
from taskrun.errors import StoreError, UnsavableValueError

TAG = "$"
MAX_DEPTH = 100
"""Values that are nested deeper than this number of levels are refused."""
_MAX_DECIMAL_BITS = 4096
"""Integers with more bits are written in hexadecimal, because Python limits the length of decimal numbers."""
_FAST_INT_LIMIT = 1 << 64
_MAX_REPR = 40

_quoted = json.encoder.encode_basestring_ascii
_encode = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are converted to JSON and back, for a type that taskrun does not support itself.

        Codec("money", Money, lambda money: [money.amount, money.currency], lambda parts: Money(*parts))

    Parameters: ``name`` identifies the codec in stored text, so it must stay the same if the class is moved or renamed.
    ``type`` is the type of the values; values of subclasses are not converted. ``to_json`` returns the parts of a
    value: anything that ``Codecs`` can convert. ``from_json`` creates the value from these parts.
    """

    name: str
    type: type
    to_json: Callable[[Any], Any]
    from_json: Callable[[Any], Any]


class Codecs:
    """Converts values to JSON text and back.

    Parameters: ``codecs`` convert types that taskrun does not support itself. ``allow`` takes the name of a module and
    returns whether it may be imported to find the class of a stored value; by default none may. Raises ValueError if
    two codecs have the same type or name.
    """

    def __init__(self, codecs: Iterable[Codec] = (), allow: ImportFilter = allow_no_import) -> None:
        own = tuple(codecs)
        self._by_type: Mapping[type, Codec] = MappingProxyType({codec.type: codec for codec in own})
        self._by_name: Mapping[str, Codec] = MappingProxyType({codec.name: codec for codec in own})
        self._allow = allow
        for what, known in (("type", self._by_type), ("name", self._by_name)):
            if len(known) < len(own):
                twice = next(one for one in own if one not in known.values())
                raise ValueError(f"two codecs have the same {what}: that of '{twice.name}' is one of them")

    def dumps(self, value: Any) -> str:
        """Return a value as JSON text.

        Raises UnsavableValueError if the value, or a part of it, cannot be converted; the error names the part.
        """
        try:
            if type(value) is dict and (text := _dump_plain_dict(value)) is not None:
                return text
            return _encode(_Encoder(self._by_type).write(value))
        except UnsavableError as problem:
            raise UnsavableValueError(problem.problem, "".join(reversed(problem.path_parts))) from problem.__cause__
        except RecursionError:
            raise UnsavableValueError("values are nested too deeply for the present depth of the call stack") from None

    def can_save(self, value: Any) -> bool:
        """Return whether ``dumps`` can convert the value."""
        try:
            self.dumps(value)
        except UnsavableValueError:
            return False
        return True

    def loads(self, text: str) -> Any:
        """Return the value whose JSON text ``dumps`` returned.

        Raises StoreError if the text is malformed, or if it needs a class or a codec that this process does not have.
        """
        try:
            data = json.loads(text)
            return self._read(data) if '"$"' in text else data  # most values need no conversion
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(f"a recorded value cannot be read: {type(error).__name__}: {error}") from error

    def _read(self, data: Any) -> Any:
        """Return the value that the data from ``json.loads`` stand for.

        An object with the member ``$`` stands for a value of the kind that this member names.
        """
        if isinstance(data, list):
            return [self._read(one) for one in data]
        if not isinstance(data, dict):
            return data
        kind = data.get(TAG)
        if kind is None:
            return {key: self._read(one) for key, one in data.items()}
        parts = self._read(data["v"])
        if kind in BUILDERS:
            return BUILDERS[kind](parts)
        if kind == "codec":
            codec = self._by_name.get(data["name"])
            if codec is None:
                raise StoreError(f"a recorded value needs the codec '{data['name']}', which is not registered here")
            return codec.from_json(parts)
        return build(resolve_class(data["name"], kind, self._allow), kind, parts)


class _Encoder:
    """Converts one value to data that ``json`` can encode; it refuses values that contain themselves.

    It is used for one value only: it stores which objects enclose the present one.
    """

    def __init__(self, codecs: Mapping[type, Codec]) -> None:
        self._codecs = codecs
        self._open: set[int] = set()

    def write(self, value: Any) -> Any:
        """Return the data for a value, which may be nested; raises UnsavableError if it cannot be converted."""
        cls = type(value)
        if cls in _JSON_TYPES and _JSON_TYPES[cls](value):
            return value
        simple = BUILTIN_TYPES.get(cls)
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
        """Return the data for a value that contains others: a collection, one with a codec, an object of a class."""
        if cls is dict:
            return self._dict(value)
        if cls is list or cls is tuple:
            items = [self._member(one, f"[{index}]") for index, one in enumerate(value)]
            return items if cls is list else {TAG: "tuple", "v": items}
        if cls is set or cls is frozenset:
            # sorted by their texts, so that equal sets have equal texts
            return {
                TAG: cls.__name__,
                "v": sorted((self._member(one, f"{{{_shortened_repr(one)}}}") for one in value), key=_encode),
            }
        codec = self._codecs.get(cls)
        if codec is not None:
            return {TAG: "codec", "name": codec.name, "v": self.write(_call_codec(codec.to_json, value, codec.name))}
        kind = class_kind(cls)
        if kind is None:
            raise UnsavableError(_unsupported_type(cls))
        members = parts_of_value(value, kind)
        if kind in KINDS_WITH_FIELDS:
            written = {name: self._member(one, f".{name}") for name, one in members.items()}
        else:
            written = self.write(members)
        return {TAG: kind, "name": class_reference(cls), "v": written}

    def _dict(self, value: dict[Any, Any]) -> Any:
        """Return the data for a dictionary: an object if all keys are texts, else a list of pairs of key and value.

        A dictionary that has the key ``$`` is written as pairs too.
        """
        if all(type(key) is str and _is_valid_unicode(key) for key in value) and TAG not in value:
            return {key: self._member(one, f"[{key!r}]") for key, one in value.items()}
        pairs = [
            [self._member(key, f"<key {_shortened_repr(key)}>"), self._member(one, f"[{_shortened_repr(key)}]")]
            for key, one in value.items()
        ]
        return {TAG: "dict", "v": pairs}

    def _member(self, value: Any, piece: str) -> Any:
        """Return the data for a value inside another one; ``piece`` is its place there, such as ``[2]`` or ``.name``.

        An UnsavableError gets ``piece`` as a further part of the place that it names.
        """
        try:
            return self.write(value)
        except UnsavableError as problem:
            problem.path_parts.append(piece)
            raise


def _dump_plain_dict(value: dict[Any, Any]) -> str | None:
    """Return the JSON text of a dictionary of short plain values, None if it contains anything else.

    It is a shortcut for the most frequent case, which does not need the full conversion.
    """
    parts = []
    for key, one in value.items():
        cls = one.__class__
        if cls is str and one.isascii():
            text = _quoted(one)
        elif cls is int and -_FAST_INT_LIMIT < one < _FAST_INT_LIMIT:
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


def _is_valid_unicode(value: str) -> bool:
    """Return whether UTF-8 can encode a text.

    A text with lone surrogates cannot be encoded, and JSON would change it: it joins two of them into one character.
    """
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_JSON_TYPES: Mapping[type, Callable[[Any], bool]] = MappingProxyType(
    {
        type(None): lambda _: True,
        bool: lambda _: True,
        str: _is_valid_unicode,
        int: lambda value: value.bit_length() <= _MAX_DECIMAL_BITS,
        float: lambda value: value - value == 0,  # neither infinite nor NaN
    }
)
"""The types that JSON supports, each with a function that returns whether JSON restores a value of the type exactly."""


def _call_codec(function: Callable[[Any], Any], value: Any, name: str) -> Any:
    """Return ``function(value)``, where ``function`` is ``to_json`` of the codec ``name``.

    Any exception that it raises becomes an UnsavableError that names the codec.
    """
    try:
        return function(value)
    except Exception as error:
        raise UnsavableError(f"the codec '{name}' failed: {type(error).__name__}: {error}") from error


def _shortened_repr(value: Any) -> str:
    """Return the repr of a value for a message, at most 40 characters; the name of its class if ``repr`` raises."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001
        text = type(value).__name__
    return text if len(text) <= _MAX_REPR else text[: _MAX_REPR - 1] + "…"


def _unsupported_type(cls: type) -> str:
    """Return the message for a value of an unsupported type; it suggests a supported type, or a codec."""
    known = next(
        (base.__name__ for base in cls.__mro__[1:-1] if base in BUILTIN_TYPES or base in (dict, list, tuple, set)), None
    )
    if known is not None:
        return (
            f"a {cls.__module__}.{cls.__qualname__} cannot be saved: convert it to a plain {known}, or register a codec"
        )
    return f"a {cls.__module__}.{cls.__qualname__} cannot be saved: return its parts instead, or register a codec"
