"""JSON Schema checks of inputs and outputs: the text of ``<schema>``, enforced by the jsonschema package.

Rules: the package is an extra (``taskrun[schema]``), imported when the first flow with a ``<schema>`` is compiled.
"""

from __future__ import annotations

import json
from typing import Any

from taskrun.errors import PluginError


class SchemaCheck:
    """A compiled JSON Schema."""

    __slots__ = ("_validator",)

    def __init__(self, text: str) -> None:
        """Compile the schema; raises ValueError when the text is no JSON Schema, PluginError without the package."""
        try:
            import jsonschema
        except ImportError:
            message = "<schema> needs the package jsonschema: pip install 'taskrun[schema]'"
            raise PluginError(message) from None
        schema = json.loads(text)
        validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        try:
            validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"not a JSON Schema: {error.message}") from None
        self._validator = validator(schema)

    def check(self, value: Any) -> None:
        """Raise ValueError with every way in which the value breaks the schema."""
        problems = sorted(self._validator.iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
        if problems:
            raise ValueError("; ".join(_said(error) for error in problems))


def _said(error: Any) -> str:
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    return f"{where}: {error.message}" if where else str(error.message)
