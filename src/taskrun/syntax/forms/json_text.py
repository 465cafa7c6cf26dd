r"""Read JSON text into scalars, lists and maps with their places.

Rules: JSON as RFC 8259 has it, and nothing more: no comments, no comma at the end. A number keeps its text. A key that
stands twice is refused, and so is nesting deeper than that of XML. ``\u`` pairs become one character.
"""

from __future__ import annotations

import json
import re

from taskrun.errors import XmlError
from taskrun.source import Source
from taskrun.syntax.forms.marked_values import JSON, Entries, Items, Scalar, Value
from taskrun.syntax.forms.yaml_text import key_problem, problem

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])|(?:true|false|null)(?!\w)")
_NEXT = re.compile(r'[^\s,:{}\[\]"]+|.|\Z', re.DOTALL)


def read_json(source: Source, most_depth: int) -> Value:
    """Return what the text holds; raises XmlError with the place of what is wrong."""
    reader = _JsonReader(source, most_depth)
    value = reader.value(0)
    reader.skip()
    if reader.at < len(source.text):
        raise reader.stop("nothing may stand behind the value")
    return value


class _JsonReader:
    """A reader by descent; one per file."""

    def __init__(self, source: Source, most_depth: int) -> None:
        self.source = source
        self.text = source.text
        self.most_depth = most_depth
        self.at = 0

    def skip(self) -> str:
        """Go to the next thing that is not white space and return its first character."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Value:
        first = self.skip()
        if first in {"{", "["} and depth >= self.most_depth:
            message = f"elements are nested more than {self.most_depth} deep"
            raise XmlError([problem(self.source, "too-deep", self.at, message)])
        if first == "{":
            return self.entries(depth + 1)
        if first == "[":
            return self.items(depth + 1)
        if first == '"':
            return self.string()
        start = self.at
        word = _WORD.match(self.text, start)
        if not word:
            raise self.stop("a value is expected")
        self.at = word.end()
        return Scalar(word[0], start, self.at)

    def string(self) -> Scalar:
        found = _STRING.match(self.text, self.at)
        if not found:
            raise self.stop('a text that ends with " on its line, with the escapes of JSON, is expected')
        start, self.at = found.span()
        return Scalar(json.loads(found[0]), start, self.at, JSON)

    def items(self, depth: int) -> Items:
        start = self.at
        self.at += 1
        values: list[Value] = []
        if self.skip() == "]":
            self.at += 1
            return Items((), start)
        while True:
            values.append(self.value(depth))
            if self.ends("]"):
                return Items(tuple(values), start)

    def entries(self, depth: int) -> Entries:
        start = self.at
        self.at += 1
        pairs: list[tuple[Scalar, Value]] = []
        keys: dict[str, Scalar] = {}
        if self.skip() == "}":
            self.at += 1
            return Entries((), start)
        while True:
            if self.skip() != '"':
                raise self.stop('a key in "…" is expected')
            key = self.string()
            if keys.setdefault(key.text, key) is not key:
                raise XmlError([key_problem(self.source, key, keys[key.text])])
            if self.skip() != ":":
                raise self.stop("':' is expected")
            self.at += 1
            pairs.append((key, self.value(depth)))
            if self.ends("}"):
                return Entries(tuple(pairs), start)

    def ends(self, mark: str) -> bool:
        """Go behind ``,`` or the end mark of a list or map; say whether it was the end."""
        found = self.skip()
        if found not in {",", mark} or not found:
            raise self.stop(f"',' or '{mark}' is expected")
        self.at += 1
        return found == mark

    def stop(self, expected: str) -> XmlError:
        found = _NEXT.match(self.text, self.at)
        shown = f"'{found[0][:20]}'" if found and found[0] else "the end of the file"
        message = f"not well-formed JSON: {expected}, but there is {shown}"
        return XmlError([problem(self.source, "json", self.at, message)])
