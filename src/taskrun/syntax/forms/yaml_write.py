"""Write trees as YAML or JSON that reads back as the same tree.

Rules: a text of several lines is a literal block (``|``), a small map is written on one line. A scalar is written
without quotes if every YAML reader reads it as the same text. So are numbers, ``true`` and ``false`` if they would be
written back with the same characters; in JSON they are then numbers and booleans instead of strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from taskrun.syntax.forms.form_words import json_scalar
from taskrun.syntax.forms.form_write import Form, form_of
from taskrun.syntax.forms.shapes import Shapes
from taskrun.syntax.node import Node

_WIDTH = 100
_PLAIN = re.compile(r"[\w$<(/](?:[^\s:#]|[:#](?=\S)|(?<=\S) (?=[^\s#])|(?<=\S)#)*\Z")
_PLAIN_IN_FLOW = re.compile(r"[^,\[\]{}]*\Z")
_RANGES = "\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_PRINTABLE = re.compile(f"[{_RANGES}]*\\Z")
_UNPRINTABLE = re.compile(f"[^{_RANGES}]")
_LETTERS = re.compile(r"(?i:y|n|yes|no|on|off|null|true|false|~|\.nan|\.inf|<<|=)\Z")
_NUMBERS = re.compile(r"[+-]?[\d.][\d_,.:+-]*(?:[eE][+-]?\d+)?\Z|[+-]?0[xob]\w*\Z|\d{4}-\d\d?-\d", re.IGNORECASE)


def write_yaml(root: Node, shapes: Shapes) -> str:
    """Return a tree as the text of a YAML file; ``shapes`` decide which keys are used."""
    return "".join(f"{line}\n" for line in _map(form_of(root, shapes), 0))


def write_json(root: Node, shapes: Shapes) -> str:
    """Return a tree as the text of a JSON file; ``shapes`` decide which keys are used."""
    return json.dumps(_json(form_of(root, shapes)), ensure_ascii=False, indent=2) + "\n"


def _json(form: Form) -> Any:
    if isinstance(form, str):
        return json_scalar(form) if _is_value(form) else form
    if isinstance(form, list):
        return [_json(item) for item in form]
    return {key: _json(value) for key, value in form.items()}


def _is_value(text: str) -> bool:
    """Return whether a text is a number, ``true`` or ``false`` that JSON writes with the same characters."""
    value = json_scalar(text)
    return not isinstance(value, str) and value is not None and json.dumps(value) == text


def _map(form: dict[str, Form], indent: int) -> Iterator[str]:
    """Yield the lines of YAML for a map; each line begins with ``indent`` spaces."""
    if not form:
        yield "{}"
    for key, value in form.items():
        yield from _value(f"{' ' * indent}{_scalar(key, flow=True)}:", value, indent)


def _value(head: str, value: Form, indent: int) -> Iterator[str]:
    """Yield the lines of YAML for a value that follows ``head``, such as ``key:``.

    ``indent`` is the number of spaces before the entries of the map or list that contains the value.
    """
    short = _flow(value)
    if isinstance(value, str):
        if "\n" in value and not value.isspace() and _PRINTABLE.match(value):
            yield f"{head} |{_indicators(value)}"
            lines = value.split("\n")
            for line in lines[: -1 if value.endswith("\n") else None]:
                yield f"{' ' * (indent + 2)}{line}" if line else ""
        else:
            yield f"{head} {_scalar(value)}"
    elif short is not None and len(head) + len(short) < _WIDTH:
        yield f"{head} {short}"
    elif isinstance(value, list):
        yield head
        for item in value:
            yield from _item(item, indent + 2)
    else:
        yield head
        yield from _map(value, indent + 2)


def _item(item: Form, indent: int) -> Iterator[str]:
    """Yield the lines of YAML for an item of a list, beginning with ``-`` behind ``indent`` spaces."""
    head = f"{' ' * indent}-"
    short = _flow(item) if isinstance(item, dict) and ("type" not in item or len(item) == 1) else None
    if short and len(head) + len(short) < _WIDTH:
        yield f"{head} {short}"
        return
    if not isinstance(item, dict) or not item:
        yield from _value(head, item, indent)
        return
    lines = _map(item, indent + 2)
    yield f"{head} {next(lines).lstrip(' ')}"
    yield from lines


def _flow(value: Form) -> str | None:
    """Return a map of scalars or an empty list as one line, such as ``{a: 1}``; None if it needs several lines."""
    if isinstance(value, dict) and all(isinstance(part, str) and "\n" not in part for part in value.values()):
        pairs = (f"{_scalar(key, flow=True)}: {_scalar(str(part), flow=True)}" for key, part in value.items())
        return "{" + ", ".join(pairs) + "}"
    return "[]" if value == [] else None


def _indicators(text: str) -> str:
    """Return what is written behind the ``|`` of a literal block.

    It is ``2``, the indentation, if the text begins with white space. Then it is ``-`` if the text has no line end at
    its end, and ``+`` if it has several.
    """
    end = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
    start = "2" if text[0].isspace() else ""
    return start + end


def _scalar(text: str, *, flow: bool = False) -> str:
    """Return a text as a YAML scalar on one line, in quotes if necessary.

    ``flow`` means that it is inside a map on one line, where ``,`` and brackets need quotes.
    """
    if _is_value(text):
        return text
    special = _LETTERS.match(text) or _NUMBERS.match(text)
    if not special and _PLAIN.match(text) and _PRINTABLE.match(text) and (not flow or _PLAIN_IN_FLOW.match(text)):
        return text
    if "\n" in text or not _PRINTABLE.match(text):
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    return "'" + text.replace("'", "''") + "'"
