"""Names that text templates can read besides variables, derived from the names that scripts can read.

Rules: a template cannot access types; therefore types are replaced by functions that create their instances. Exceptions
are left out, because a template can neither raise nor catch them. ``cycler``, ``joiner`` and ``namespace`` are
jinja2's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2.utils import Cycler, Joiner, Namespace

from taskrun.script.sandbox.metered_types import metered_callable

_LEFT_OUT = frozenset({"isinstance"})


def template_namespace(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that a template can read besides variables, with their values.

    ``namespace`` are the names that scripts can read.
    """
    own = {"cycler": _constructor(Cycler), "joiner": _constructor(Joiner), "namespace": _constructor(Namespace)}
    return own | {
        name: _constructor(value) if isinstance(value, type) else value
        for name, value in namespace.items()
        if not (isinstance(value, type) and issubclass(value, BaseException)) and name not in _LEFT_OUT
    }


def _constructor(kind: type) -> Callable[..., Any]:
    """Return a function that creates instances of a type, and has its name; templates get it instead of the type."""
    create = metered_callable(kind)

    def construct(*arguments: Any, **keywords: Any) -> Any:
        return create(*arguments, **keywords)

    construct.__name__ = construct.__qualname__ = kind.__name__
    return construct
