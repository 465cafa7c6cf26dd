"""Tag library ``text``: renders Jinja2 templates.

    <text:Render template="Dear {{ name }}," values="${person}"/>

Rules: templates run in a sandbox that cannot change values or access internals of Python. An undefined variable is an
error. Nothing is escaped, so HTML needs ``|e``. The newline at the end of a template is not removed.
"""

from __future__ import annotations

import re
from typing import Any

from taskrun.errors import near_hint

__all__ = ["TextError", "render"]

_UNDEFINED = re.compile(r"'(.+)' is undefined")


class TextError(Exception):
    """Raised when a template cannot be compiled or rendered."""


def render(template: str, values: dict[str, Any] | None = None) -> str:
    """Render a template and return the text.

    Parameters: ``values`` is a dict with the variables of the template.
    Raises TextError for a wrong template, with the line, and for any error while it is rendered.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    known = dict(values or {})
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    try:
        return environment.from_string(template).render(known)
    except jinja2.TemplateSyntaxError as error:
        raise TextError(f"template, line {error.lineno}: {error.message}") from None
    except jinja2.UndefinedError as error:
        found = _UNDEFINED.fullmatch(str(error))
        hint = near_hint(found[1], map(str, known)) if found else ""
        raise TextError(f"template: {error}; {hint or 'give it in values, or write |default(…)'}") from None
    except Exception as error:  # expressions of a template may raise anything
        raise TextError(f"template: {type(error).__name__}: {error}") from error
