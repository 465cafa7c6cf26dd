"""Values of classes: enumerations, named tuples, dataclasses and pydantic models, saved with the name of their class.

Rules: a class is saved only when its name leads back to it. It is looked up in modules that are loaded, without asking
any module for what it would have to import; another is imported only when the caller's ``allow`` says so. What is found
must be of the kind that was saved, so a forged record cannot call any class. Dataclasses are filled without ``__init__``.
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

Allow: TypeAlias = Callable[[str], bool]
"""Whether a module may be imported to find the class of a recorded value."""

FIELDED = ("namedtuple", "dataclass")
"""The kinds whose members are a dictionary of fields."""


def no_module(name: str) -> bool:  # noqa: ARG001
    """Allow no import."""
    return False


def class_kind(cls: type) -> str | None:
    """Return which kind of class can be saved ``cls`` is, None for none."""
    if issubclass(cls, enum.Enum):
        return "enum"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "namedtuple"
    if callable(getattr(cls, "model_dump", None)) and callable(getattr(cls, "model_validate", None)):
        return "model"
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    return None


def reference_to(cls: type) -> str:
    """Return the name by which the class is found again; UnsavableError when it is not."""
    name = f"{cls.__module__}:{cls.__qualname__}"
    if _found(name) is not cls:
        raise UnsavableError(f"the class {name.replace(':', '.')} cannot be saved: it is not found by its name")
    return name


def class_of(name: str, kind: str, allow: Allow) -> type:
    """Return the class that ``reference_to`` named; StoreError when it is not there or is of another kind."""
    module = name.partition(":")[0]
    if module not in sys.modules and allow(module):
        importlib.import_module(module)
    cls = _found(name)
    if cls is None:
        hint = "import its module before the run is resumed" if module not in sys.modules else "it was moved or renamed"
        raise StoreError(f"a recorded value is of the class {name.replace(':', '.')}, which is not there", hint)
    if not isinstance(cls, type) or class_kind(cls) != kind:
        raise StoreError(f"a recorded value is of {name.replace(':', '.')}, which is no {kind}")
    return cls


def _found(name: str) -> Any:
    """Return what a name leads to in the modules that are loaded, None when it leads nowhere."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, "__dict__", {}).get(part)  # getattr(module, part) might import things
    return found


def members_of(value: Any, kind: str) -> Any:
    """Return what a value is made of: a dictionary of its fields, or the name or number of an enumeration's member."""
    if kind == "enum":
        return value.value if isinstance(value, enum.Flag) else value.name
    if kind == "namedtuple":
        return dict(zip(value._fields, value, strict=True))
    return _model_members(value) if kind == "model" else _dataclass_members(value)


def build(cls: type, kind: str, members: Any) -> Any:
    """Make a value of the class from what ``members_of`` returned."""
    return _BUILD[kind](cls, members)


def _dataclass_members(value: Any) -> dict[str, Any]:
    cls = type(value)
    try:
        object.__new__(cls)
    except TypeError as error:
        raise UnsavableError("a dataclass that is something else as well cannot be saved") from error
    members = {}
    for field in dataclasses.fields(value):
        try:
            members[field.name] = getattr(value, field.name)
        except AttributeError as error:
            raise UnsavableError(f"its field '{field.name}' was never set") from error
    return members


def _build_dataclass(cls: Any, members: Mapping[str, Any]) -> Any:
    value = object.__new__(cls)
    rest = dict(members)
    for field in dataclasses.fields(cls):
        if field.name in rest:
            present = rest.pop(field.name)
        elif field.default is not dataclasses.MISSING:  # the class got the field since
            present = field.default
        elif field.default_factory is not dataclasses.MISSING:
            present = field.default_factory()
        else:
            raise StoreError(f"a recorded {cls.__qualname__} has no '{field.name}', which the class asks for now")
        object.__setattr__(value, field.name, present)
    if rest:
        raise StoreError(f"a recorded {cls.__qualname__} has {', '.join(map(repr, rest))}, which the class has not now")
    return value


def _model_members(value: Any) -> Any:
    """Return the first of a model's dumps that is the model again when it is validated."""
    for settings in ({}, {"by_alias": True}):
        try:
            members = value.model_dump(**settings)
            if type(value).model_validate(members) == value:
                return members
        except Exception as error:  # noqa: BLE001  # validators are the user's; the other dump may do
            problem: Exception | None = error
        else:
            problem = None
    raise UnsavableError(
        f"the model {type(value).__qualname__} does not come back from its model_dump"
        + (f": {problem}" if problem else "")
    )


def _build_enum(cls: Any, member: Any) -> Any:
    return cls(member) if issubclass(cls, enum.Flag) else cls[member]


def _build_namedtuple(cls: Any, members: Mapping[str, Any]) -> Any:
    if tuple(members) != cls._fields:
        raise StoreError(
            f"a recorded {cls.__qualname__} has the fields {', '.join(members)}: the class was changed since"
        )
    return tuple.__new__(cls, members.values())


def _build_model(cls: Any, members: Any) -> Any:
    return cls.model_validate(members)


_BUILD: Mapping[str, Callable[[type, Any], Any]] = MappingProxyType(
    {"enum": _build_enum, "namedtuple": _build_namedtuple, "model": _build_model, "dataclass": _build_dataclass}
)
