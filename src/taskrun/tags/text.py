"""The tag library ``text``: filling in templates.

    <text:Render template="Dear {{ name }}," values="${person}"/>

Rules: templates are Jinja2 in a sandbox that cannot change the values or reach Python's insides; a variable that is not
there is a failure; nothing is escaped, so a page of HTML needs ``|e``; the newline at the end stays.
"""

from __future__ import annotations

import re
from typing import Any

from taskrun.errors import near_hint

__all__ = ["TextError", "render"]

_UNDEFINED = re.compile(r"'(.+)' is undefined")


class TextError(Exception):
    """A template cannot be understood or filled in."""


def render(template: str, values: dict[str, Any] | None = None) -> str:
    """Return ``template`` filled in with ``values``, a dict of what its variables stand for.

    Raises TextError for a wrong template, with the line, and for whatever fails while it is filled in.
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
    except Exception as error:  # what an expression of the template raises
        raise TextError(f"template: {type(error).__name__}: {error}") from error
