r"""Parse JSON text into scalars, lists and maps that know their offsets in the file (``marked_values``).

Rules: JSON as in RFC 8259, without comments or trailing commas. A number keeps its text. A key that occurs twice in a
map, and nesting deeper than the limit of XML files, are errors. A surrogate pair of ``\u`` escapes is one character.
This is a parser of its own, because the standard ``json`` reports no offsets, and YAML parsers refuse some JSON: tabs,
surrogate pairs, and ``:`` on the line behind its key.
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
    """Return the value of a JSON text; raises XmlError with the location of the mistake.

    ``most_depth`` limits how deep lists and maps may be nested.
    """
    reader = _JsonReader(source, most_depth)
    value = reader.value(0)
    reader.skip()
    if reader.at < len(source.text):
        raise reader.stop("the end of the file is expected behind the value")
    return value


class _JsonReader:
    """Recursive descent parser of one JSON file; ``at`` is the offset of the character that is read next."""

    def __init__(self, source: Source, most_depth: int) -> None:
        self.source = source
        self.text = source.text
        self.most_depth = most_depth
        self.at = 0

    def skip(self) -> str:
        """Skip white space and return the next character, ``""`` at the end."""
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
            raise self.stop('a string is expected that ends with " on the same line and has only escapes of JSON')
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
        """Consume a ``,`` or the closing bracket ``mark``; return True for the bracket, False for the comma.

        Raises XmlError if there is something else.
        """
        found = self.skip()
        if found not in {",", mark} or not found:
            raise self.stop(f"',' or '{mark}' is expected")
        self.at += 1
        return found == mark

    def stop(self, expected: str) -> XmlError:
        """Return the XmlError for the token at the current offset, for the caller to raise.

        ``expected`` describes what would be valid there.
        """
        found = _NEXT.match(self.text, self.at)
        shown = f"'{found[0][:20]}'" if found and found[0] else "the end of the file"
        message = f"not well-formed JSON: {expected}, but there is {shown}"
        return XmlError([problem(self.source, "json", self.at, message)])
