"""Error message for a name that a script reads and that does not exist, with a suggestion."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.errors import near_hint
from taskrun.script.scope import Names

_OTHER_SPELLINGS = MappingProxyType({"null": "None", "undefined": "None", "true": "True", "false": "False"})


def unknown_variable(name: str, scope: Names, namespace: Mapping[str, Any]) -> str:
    """Return the error message for a name that is neither in ``scope`` nor in ``namespace``.

    It suggests a similar name, or Python's spelling of ``null``, ``true`` and the like.
    """
    if name in _OTHER_SPELLINGS:
        return f"unknown variable '{name}'; Python writes {_OTHER_SPELLINGS[name]}"
    known: Iterable[str] = set(scope.names())
    hint = near_hint(name, known)
    if not hint and hasattr(builtins, name):
        hint = "scripts do not have this name of Python"
    hint = hint or near_hint(name, namespace)
    return f"unknown variable '{name}'" + (f"; {hint}" if hint else "")
