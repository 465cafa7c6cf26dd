"""Where the parts of an element of a YAML or JSON file stand: it is asked when an error is shown.

Rules: an attribute stands where its key does; a character of a value where it is in the file, whatever quotes, escapes or
folds are between. A value that was made from a list or a map has but one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taskrun.source import Location, Source
from taskrun.syntax.forms.marked_values import Scalar, Value


class FormPlaces(NamedTuple):
    """Where the parts of an element of a YAML or JSON file stand."""

    file: Source
    attributes: Mapping[str, tuple[Scalar, Value]]
    text: Scalar | None

    def attribute(self, name: str) -> Location | None:
        """Return where the key of an attribute stands."""
        found = self.attributes.get(name)
        return self.file.location(found[0].start) if found else None

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return where a character of the text, or of an attribute's value, stands."""
        pair = self.attributes.get(attribute) if attribute else None
        value = pair[1] if pair else None if attribute else self.text
        if isinstance(value, Scalar):
            return self.file.location(value.offset(index, self.file.text))
        return self.file.location(value.start) if value else None

    def source(self, path: str) -> Source | None:  # noqa: ARG002 - there is but one file
        """Return None: the node's own source is all there is."""
        return None
