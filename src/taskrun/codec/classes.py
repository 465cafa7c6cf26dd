"""Convert enum members, named tuples, dataclasses and pydantic models to simpler values, and back.

Rules: what is stored is the name of the class, and parts such as the fields. A value is converted only if its class can
be found again by its name. A class is searched in loaded modules, via their ``__dict__``, so that no ``__getattr__`` of
a module runs. Other modules are imported only if an ImportFilter permits it. The class must be of the stored kind (such
as ``enum``), so that a forged record cannot call any class. Dataclasses are restored without calling ``__init__``.
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
"""A function from the name of a module to whether it may be imported to find the class of a stored value."""

KINDS_WITH_FIELDS = ("namedtuple", "dataclass")
"""The kinds of classes (see ``class_kind``) whose values are stored as a dictionary from field names to values."""


def allow_no_import(name: str) -> bool:  # noqa: ARG001
    """Return False for every module: an ImportFilter that permits no import."""
    return False


def class_kind(cls: type) -> str | None:
    """Return the kind of a class: ``enum``, ``namedtuple``, ``model`` or ``dataclass``; it decides what is stored.

    ``model`` is a class with the methods of a pydantic model. None for a class of which no value can be stored.
    """
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
    """Return the name under which a class is stored, ``module:qualname``.

    Raises UnsavableError if the class cannot be found by this name, for example because it was defined in a function.
    """
    name = f"{cls.__module__}:{cls.__qualname__}"
    if _loaded_class(name) is not cls:
        raise UnsavableError(f"the class {name.replace(':', '.')} cannot be saved: it cannot be found by its name")
    return name


def resolve_class(name: str, kind: str, allow: ImportFilter) -> type:
    """Return the class with a stored name, ``module:qualname``; its module is imported if ``allow`` permits it.

    Raises StoreError if there is no such class or if it is not of the stored ``kind``.
    """
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
    """Return the object with the name ``module:qualname``; None if there is none or its module is not loaded."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, "__dict__", {}).get(part)  # getattr(module, part) might import things
    return found


def parts_of_value(value: Any, kind: str) -> Any:
    """Return what is stored of a value whose class is of this ``kind``.

    That is a dictionary of its fields. For an enum member it is the name, for a member of an ``enum.Flag`` the number,
    and for a model the value of ``model_dump()``.
    """
    if kind == "enum":
        return value.value if isinstance(value, enum.Flag) else value.name
    if kind == "namedtuple":
        return dict(zip(value._fields, value, strict=True))
    return _model_members(value) if kind == "model" else _dataclass_members(value)


def build(cls: type, kind: str, members: Any) -> Any:
    """Create a value of the class ``cls`` from its parts, which ``parts_of_value`` returned."""
    return _BUILD[kind](cls, members)


def _dataclass_members(value: Any) -> dict[str, Any]:
    """Return the values of all fields of a dataclass object, by field name.

    Raises UnsavableError if a field was never set, or if the class also inherits from a built-in type.
    """
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
    """Create a dataclass object from the stored values of its fields, without calling ``__init__``.

    A field that the class got after the value was stored has its default. Raises StoreError if such a field has no
    default, or if a stored field does not exist any more.
    """
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
    """Return the ``model_dump()`` of a pydantic model, with its field names or with their aliases.

    It is the first of these two from which ``model_validate`` creates an equal model; raises UnsavableError if neither
    does.
    """
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
    """Return the member of an enum with this name, or of an ``enum.Flag`` with this number."""
    return cls(member) if issubclass(cls, enum.Flag) else cls[member]


def _build_namedtuple(cls: Any, members: Mapping[str, Any]) -> Any:
    """Create a named tuple from the stored values of its fields; raises StoreError if the class has other ones now."""
    if tuple(members) != cls._fields:
        raise StoreError(
            f"a recorded {cls.__qualname__} has the fields {', '.join(members)}: the class was changed since"
        )
    return tuple.__new__(cls, members.values())


def _build_model(cls: Any, members: Any) -> Any:
    """Create a pydantic model from its stored parts with ``model_validate``, which checks them."""
    return cls.model_validate(members)


_BUILD: Mapping[str, Callable[[type, Any], Any]] = MappingProxyType(
    {"enum": _build_enum, "namedtuple": _build_namedtuple, "model": _build_model, "dataclass": _build_dataclass}
)
