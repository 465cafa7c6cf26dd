"""Conversion of enum members, named tuples, dataclasses and pydantic models to parts and a class name, and back.

Rules: a value is converted only if the name of its class resolves to that class. Names are resolved in loaded modules,
via their ``__dict__``, so that no module-level ``__getattr__`` runs; other modules are imported only if ``allow``
permits it. The class that is found must be of the stored kind, so that a forged record cannot call arbitrary classes.
Dataclasses are restored without calling ``__init__``.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from taskrun.codec.builtin_types import UnsavableError
from taskrun.errors import StoreError

ImportFilter: TypeAlias = Callable[[str], bool]
"""A function that returns whether a module may be imported to find the class of a stored value."""

KINDS_WITH_FIELDS = ("namedtuple", "dataclass")
"""The kinds of classes whose parts are a dictionary of fields."""


def allow_no_import(name: str) -> bool:  # noqa: ARG001
    """Return False: no module may be imported."""
    return False


def class_kind(cls: type) -> str | None:
    """Return the kind of a supported class (``enum``, ``namedtuple``, ``model`` or ``dataclass``), None for others."""
    if issubclass(cls, enum.Enum):
        return "enum"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "namedtuple"
    if callable(getattr(cls, "model_dump", None)) and callable(getattr(cls, "model_validate", None)):
        return "model"
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    return None


def class_reference(cls: type) -> str:
    """Return the name of a class as ``module:qualname``; raises UnsavableError if that name does not lead to the class."""
    name = f"{cls.__module__}:{cls.__qualname__}"
    if _loaded_class(name) is not cls:
        raise UnsavableError(f"the class {name.replace(':', '.')} cannot be saved: it cannot be found by its name")
    return name


def resolve_class(name: str, kind: str, allow: ImportFilter) -> type:
    """Return the class with a name from ``class_reference``; raises StoreError if it is missing or of another kind."""
    module = name.partition(":")[0]
    if module not in sys.modules and allow(module):
        importlib.import_module(module)
    cls = _loaded_class(name)
    if cls is None:
        hint = "import its module before the run is resumed" if module not in sys.modules else "it was moved or renamed"
        raise StoreError(f"a recorded value is of the class {name.replace(':', '.')}, which does not exist", hint)
    if not isinstance(cls, type) or class_kind(cls) != kind:
        raise StoreError(f"a recorded value is of {name.replace(':', '.')}, which is not a {kind}")
    return cls


def _loaded_class(name: str) -> Any:
    """Return the object that ``module:qualname`` names, if its module is loaded; else None."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, "__dict__", {}).get(part)  # getattr(module, part) might import things
    return found


def parts_of_value(value: Any, kind: str) -> Any:
    """Return the parts of an instance: a dictionary of its fields; of an enum member its name, of a flag its number."""
    if kind == "enum":
        return value.value if isinstance(value, enum.Flag) else value.name
    if kind == "namedtuple":
        return dict(zip(value._fields, value, strict=True))
    return _model_members(value) if kind == "model" else _dataclass_members(value)


def build(cls: type, kind: str, members: Any) -> Any:
    """Create an instance of a class from the parts that ``parts_of_value`` returned."""
    return _BUILD[kind](cls, members)


def _dataclass_members(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass instance; raises UnsavableError if a field was never set."""
    cls = type(value)
    try:
        object.__new__(cls)
    except TypeError as error:
        raise UnsavableError("a dataclass that also inherits from a built-in type cannot be saved") from error
    members = {}
    for field in dataclasses.fields(value):
        try:
            members[field.name] = getattr(value, field.name)
        except AttributeError as error:
            raise UnsavableError(f"its field '{field.name}' was never set") from error
    return members


def _build_dataclass(cls: Any, members: Mapping[str, Any]) -> Any:
    """Create a dataclass instance without ``__init__``; fields that were added since get their defaults."""
    value = object.__new__(cls)
    rest = dict(members)
    for field in dataclasses.fields(cls):
        if field.name in rest:
            present = rest.pop(field.name)
        elif field.default is not dataclasses.MISSING:  # a field that was added after the value was stored
            present = field.default
        elif field.default_factory is not dataclasses.MISSING:
            present = field.default_factory()
        else:
            raise StoreError(f"a recorded {cls.__qualname__} has no '{field.name}', which the class requires now")
        object.__setattr__(value, field.name, present)
    if rest:
        raise StoreError(
            f"a recorded {cls.__qualname__} has {', '.join(map(repr, rest))}, which the class does not have now"
        )
    return value


def _model_members(value: Any) -> Any:
    """Return a ``model_dump`` of a pydantic model, by field name or alias, that validates to an equal model."""
    for settings in ({}, {"by_alias": True}):
        try:
            members = value.model_dump(**settings)
            if type(value).model_validate(members) == value:
                return members
        except Exception as error:  # noqa: BLE001  # validators of users may raise anything; try the other dump
            problem: Exception | None = error
        else:
            problem = None
    raise UnsavableError(
        f"the model {type(value).__qualname__} cannot be restored from its model_dump"
        + (f": {problem}" if problem else "")
    )


def _build_enum(cls: Any, member: Any) -> Any:
    """Return the member of an enum by name, or of a flag by number."""
    return cls(member) if issubclass(cls, enum.Flag) else cls[member]


def _build_namedtuple(cls: Any, members: Mapping[str, Any]) -> Any:
    """Create a named tuple; raises StoreError if its class has other fields now."""
    if tuple(members) != cls._fields:
        raise StoreError(
            f"a recorded {cls.__qualname__} has the fields {', '.join(members)}: the class was changed since"
        )
    return tuple.__new__(cls, members.values())


def _build_model(cls: Any, members: Any) -> Any:
    """Create a pydantic model by validation."""
    return cls.model_validate(members)


_BUILD: Mapping[str, Callable[[type, Any], Any]] = MappingProxyType(
    {"enum": _build_enum, "namedtuple": _build_namedtuple, "model": _build_model, "dataclass": _build_dataclass}
)
