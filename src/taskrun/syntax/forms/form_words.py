"""Names and prefixes with a special meaning in YAML and JSON flows, shared by their reader and their writer.

Rules: special keys such as ``$tag`` begin with ``$``. XML does not allow ``$`` in names, so a special key is never the
name of an attribute or an element.
"""

from __future__ import annotations

import json
import re

from taskrun.syntax.forms.marked_values import NULLS

ROOT = "task"
"""Default tag of the root element."""
TYPE = "type"
"""Key for the tag of an element in a list whose items have different tags."""
TAG = "$tag"
"""Key for the tag of an element that has an attribute ``type``."""
TEXT_WORD = "$text"
"""Key for the text of an element; the text is never read as XML."""
XML = "$xml"
"""Key for the content of an element as XML: mixed text and elements."""
ELEMENTS = "$elements"
"""Key for a list of child elements that other keys cannot express, in document order."""
ATTRIBUTES = "$attributes"
"""Key for a map of attributes that other keys cannot express."""
JSON_VALUE = "@:"
"""Prefix of an attribute value that is JSON."""
WORDS = (TAG, TEXT_WORD, XML, ELEMENTS, ATTRIBUTES)

_FIRST = (
    r":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    r"\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = re.compile(rf"[{_FIRST}][{_FIRST}\-.0-9\xb7\u0300-\u036f\u203f\u2040]*\Z")
_XML_STRING = re.compile(r"\s*<.*>\s*\Z", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")


def is_name(text: str) -> bool:
    """Return whether XML allows this text as the name of an element or an attribute."""
    return _NAME.match(text) is not None


def looks_like_xml(text: str) -> bool:
    """Return whether the text for an element with a script is read as XML: it begins with ``<`` and ends with ``>``."""
    return _XML_STRING.match(text) is not None


def json_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar: a number, boolean or null if JSON has it, else the text itself.

    >>> json_scalar("12"), json_scalar("012"), json_scalar("true"), json_scalar("yes"), json_scalar("~")
    (12, '012', True, 'yes', None)
    """
    if text in NULLS:
        return None
    if text in {"true", "false"} or _NUMBER.match(text):
        value: int | float | bool = json.loads(text)
        return value
    return text
