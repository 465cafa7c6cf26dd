"""The words and the scalars of flows in YAML and JSON that their reader and their writer share.

Rules: a word begins with ``$``, which no name of XML does, so it is in nobody's way.
"""

from __future__ import annotations

import json
import re

from taskrun.syntax.forms.marked_values import NULLS

ROOT = "task"
"""The tag of the root element, which a file need not say."""
TYPE = "type"
"""The tag of an element in a list whose items are of different kinds."""
TAG = "$tag"
"""The same where ``type`` is an attribute."""
TEXT_WORD = "$text"
"""The text of an element, which is never XML."""
XML = "$xml"
"""The content of an element as XML: text and elements between each other."""
ELEMENTS = "$elements"
"""A list of child elements that the other keys cannot say, in their place among them."""
ATTRIBUTES = "$attributes"
"""A map of attributes that the other keys cannot say."""
JSON_VALUE = "@:"
"""What an attribute begins with whose value is JSON."""
WORDS = (TAG, TEXT_WORD, XML, ELEMENTS, ATTRIBUTES)

_FIRST = (
    r":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    r"\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = re.compile(rf"[{_FIRST}][{_FIRST}\-.0-9\xb7\u0300-\u036f\u203f\u2040]*\Z")
_XML_STRING = re.compile(r"\s*<.*>\s*\Z", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")


def is_name(text: str) -> bool:
    """Whether XML has this as the name of an element or an attribute."""
    return _NAME.match(text) is not None


def looks_like_xml(text: str) -> bool:
    """Whether a string for an element that holds a script is XML."""
    return _XML_STRING.match(text) is not None


def json_scalar(text: str) -> str | int | float | bool | None:
    """Return the value that a plain scalar stands for in JSON: what JSON does not know is text.

    >>> json_scalar("12"), json_scalar("012"), json_scalar("true"), json_scalar("yes"), json_scalar("~")
    (12, '012', True, 'yes', None)
    """
    if text in NULLS:
        return None
    if text in {"true", "false"} or _NUMBER.match(text):
        value: int | float | bool = json.loads(text)
        return value
    return text
