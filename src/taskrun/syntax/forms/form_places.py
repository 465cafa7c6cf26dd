"""Locate the parts of an element of a YAML or JSON file, for errors.

Rules: the location of an attribute is that of its key. A character of a value is located in the raw text of the file,
where quotes, escapes and folded lines take more characters. If a value was converted from a list or a map, all its
characters have the same location.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taskrun.source import Location, Source
from taskrun.syntax.forms.marked_values import Scalar, Value


class FormPlaces(NamedTuple):
    """Locations of the parts of an element of a YAML or JSON file, the ``places`` of its node.

    ``attributes`` maps the name of each attribute to its key and value; ``text`` is the scalar that the text comes
    from.
    """

    file: Source
    attributes: Mapping[str, tuple[Scalar, Value]]
    text: Scalar | None

    def attribute(self, name: str) -> Location | None:
        """Return the location of the key of an attribute, or None if the element has no such attribute."""
        found = self.attributes.get(name)
        return self.file.location(found[0].start) if found else None

    def character(self, index: int, attribute: str | None) -> Location | None:
        """Return the location of a character of an attribute's value, or of the text if ``attribute`` is None.

        Returns None if the element has no such attribute or no text.
        """
        pair = self.attributes.get(attribute) if attribute else None
        value = pair[1] if pair else None if attribute else self.text
        if isinstance(value, Scalar):
            return self.file.location(value.offset(index, self.file.text))
        return self.file.location(value.start) if value else None

    def source(self, path: str) -> Source | None:  # noqa: ARG002 - the element comes from one file
        """Return None: all parts of the node come from one file, and ``Node.source`` is that file."""
        return None
