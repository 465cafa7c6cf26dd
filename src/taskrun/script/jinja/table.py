"""The table of names as templates have it.

Rules: a template gets no types, so those of the table become functions that make their values; exceptions, which it
could neither raise nor catch, are left out. ``cycler``, ``joiner`` and ``namespace`` are jinja2's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2.utils import Cycler, Joiner, Namespace

from taskrun.script.sandbox.metered_types import consuming

_LEFT_OUT = frozenset({"isinstance"})


def names_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a template finds under names that are no variables."""
    own = {"cycler": _maker(Cycler), "joiner": _maker(Joiner), "namespace": _maker(Namespace)}
    return own | {
        name: _maker(value) if isinstance(value, type) else value
        for name, value in table.items()
        if not (isinstance(value, type) and issubclass(value, BaseException)) and name not in _LEFT_OUT
    }


def _maker(kind: type) -> Callable[..., Any]:
    make = consuming(kind)

    def made(*arguments: Any, **keywords: Any) -> Any:
        return make(*arguments, **keywords)

    made.__name__ = made.__qualname__ = kind.__name__
    return made
