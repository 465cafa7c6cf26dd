"""Parse YAML text into scalars, lists and maps that know their offsets in the file (``marked_values``).

Rules: a file is one document of plain data, as in JSON. Errors are: tags other than those of strings, lists and maps;
keys that are no scalars; a key that occurs twice in a map; nesting deeper than the limit of XML files; and aliases that
contain themselves or repeat too much. Only the events of PyYAML's parser are used, so no Python object is ever
constructed from the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from taskrun.errors import Diagnostic, XmlError
from taskrun.source import Source
from taskrun.syntax.forms.marked_values import Entries, Items, Scalar, Value

if TYPE_CHECKING:
    from yaml import CollectionStartEvent, Event, ScalarEvent

MOST_ALIASED = 10_000
"""How many values all aliases of one file may repeat together, counting the values inside lists and maps."""

_TEXT_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})
_PLAIN_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


def read_yaml(source: Source, most_depth: int) -> Value:
    """Return the value of a YAML text; raises XmlError with the location of the mistake.

    ``most_depth`` limits how deep lists and maps may be nested.
    """
    import yaml

    fast = getattr(yaml, "CSafeLoader", None)
    if fast is not None:
        try:
            return _Composer(source, most_depth).compose(yaml.parse(source.text, Loader=fast))
        except (yaml.YAMLError, UnicodeError):
            pass  # the parser in Python has better messages
    try:
        return _Composer(source, most_depth).compose(yaml.parse(source.text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"not well-formed YAML: {error.problem or error.context}"
        hint = f"{error.context} that begins in line {error.context_mark.line + 1}" if error.context_mark else ""
        raise XmlError([problem(source, "yaml", mark.index if mark else 0, message, hint)]) from None
    except yaml.reader.ReaderError as error:
        message = f"the character {_named(error.character)} is not allowed in YAML"
        raise XmlError([problem(source, "yaml", error.position, message)]) from None


def problem(source: Source, code: str, offset: int, message: str, hint: str = "") -> Diagnostic:
    """Return a diagnostic at an offset of a file, with the line of the file."""
    at = source.location(min(offset, len(source.text)))
    return Diagnostic(location=at, code=code, message=message, hint=hint, line=source.line(at.line))


def _named(character: int | str | bytes) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else repr(character)


class _OpenCollection(NamedTuple):
    """List or map whose end has not been read yet; the ``values`` of a map are its keys and values in turn.

    ``keys`` are the keys of a map so far. ``anchor`` is the name of its YAML anchor, None without one.
    """

    values: list[Value]
    keys: dict[str, Scalar]
    start: int
    is_map: bool
    anchor: str | None


class _Anchored(NamedTuple):
    """Value that a YAML anchor names, with the number of values in it and the depth of their nesting.

    Both are needed for each alias, to limit what aliases repeat.
    """

    value: Value
    size: int
    height: int


class _Composer:
    """Builds the values of one file from the events of PyYAML's parser, and refuses what a flow may not have."""

    def __init__(self, source: Source, most_depth: int) -> None:
        self.source = source
        self.most_depth = most_depth
        self.open: list[_OpenCollection] = []
        self.anchors: dict[str, _Anchored | None] = {}
        self.aliased = 0
        self.root: Value | None = None

    def compose(self, events: Iterable[Event]) -> Value:
        import yaml

        for event in events:
            start, end = _span(self.source.text, event)
            match event:
                case yaml.DocumentStartEvent() if self.root is not None:
                    hint = "a file is one flow; remove the second '---'"
                    raise self.stop("yaml", start, "the file contains more than one document", hint)
                case yaml.ScalarEvent():
                    self.check_tag(event, _TEXT_TAGS)
                    plain = not event.style and event.tag is None
                    self.add(Scalar(event.value, start, end, "" if plain else event.style or "!"), event.anchor)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self.check_tag(event, _PLAIN_TAGS)
                    if len(self.open) >= self.most_depth:
                        raise self.too_deep(start)
                    if event.anchor:
                        self.anchors[event.anchor] = None
                    is_map = isinstance(event, yaml.MappingStartEvent)
                    self.open.append(_OpenCollection([], {}, start, is_map, event.anchor))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    values, _, first, is_map, anchor = self.open.pop()
                    self.add(_map(values, first) if is_map else Items(tuple(values), first), anchor)
                case yaml.AliasEvent():
                    self.add(self.alias(event.anchor or "", start), None)
        if self.root is None:
            raise self.stop("yaml", 0, "the file is empty", "the shortest flow is: steps: []")
        return self.root

    def add(self, value: Value, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = _Anchored(value, *_size(value))
        if not self.open:
            self.root = value
            return
        parent = self.open[-1]
        if parent.is_map and len(parent.values) % 2 == 0:
            self.check_key(value, parent)
        parent.values.append(value)

    def check_key(self, key: Value, parent: _OpenCollection) -> None:
        if not isinstance(key, Scalar):
            raise self.stop("wrong-form", key.start, "a key must be a name, not a list or a map")
        first = parent.keys.setdefault(key.text, key)
        if first is not key or key.text == "<<":
            raise XmlError([key_problem(self.source, key, first)])

    def alias(self, name: str, start: int) -> Value:
        known = self.anchors.get(name)
        if known is None:
            what = "contains itself" if name in self.anchors else f"is not known: there is no &{name} before it"
            raise self.stop("yaml", start, f"the alias *{name} {what}")
        self.aliased += known.size
        if self.aliased > MOST_ALIASED:
            message = f"aliases repeat more than {MOST_ALIASED:,} values"
            raise self.stop("too-large", start, message, "move repeated parts into a step library")
        if len(self.open) + known.height > self.most_depth:
            raise self.too_deep(start)
        return known.value

    def check_tag(self, event: ScalarEvent | CollectionStartEvent, allowed: frozenset[str | None]) -> None:
        if event.tag not in allowed:
            shown = (event.tag or "").replace("tag:yaml.org,2002:", "!!")
            start = event.start_mark.index if event.start_mark else 0
            raise self.stop("yaml", start, f"the tag {shown} is not allowed", "a flow is plain data; remove the tag")

    def too_deep(self, start: int) -> XmlError:
        return self.stop("too-deep", start, f"elements are nested more than {self.most_depth} deep")

    def stop(self, code: str, start: int, message: str, hint: str = "") -> XmlError:
        return XmlError([problem(self.source, code, start, message, hint)])


def key_problem(source: Source, key: Scalar, first: Scalar) -> Diagnostic:
    """Return the diagnostic for a key that must not be here: it occurs twice in a map, or is YAML's merge key ``<<``.

    ``first`` is the first key of the same name.
    """
    if key.text == "<<":
        return problem(source, "yaml", key.start, "the merge key << is not allowed", "write the merged keys instead")
    line = source.location(first.start).line
    hint = f"the first is in line {line}; write several inputs, outputs and the like as a list"
    return problem(source, "doubled", key.start, f"the key '{key.text}' occurs twice", hint)


def _map(values: list[Value], start: int) -> Entries:
    pairs = zip(values[::2], values[1::2], strict=True)
    return Entries(tuple((key, value) for key, value in pairs if isinstance(key, Scalar)), start)


def _span(text: str, event: Event) -> tuple[int, int]:
    """Return the start and end offset of a value, without the anchor (``&a``) and tag (``!!str``) before it.

    PyYAML counts these as a part of the value.
    """
    start = event.start_mark.index if event.start_mark else 0
    end = event.end_mark.index if event.end_mark else len(text)
    if getattr(event, "tag", None) is None and getattr(event, "anchor", None) is None:
        return start, end
    while start < end and text[start] in "&!":
        while start < end and not text[start].isspace():
            start += 1
        while start < end and text[start].isspace():
            start += 1
    return start, end


def _size(value: Value) -> tuple[int, int]:
    """Return how many values there are in a value, itself included, and how deep its lists and maps are nested.

    Counting stops when there are more values than aliases may repeat.
    """
    size = height = 0
    level: list[Value] = [value]
    while level:
        size += len(level)
        below = [child for item in level for child in _children(item)]
        height += any(not isinstance(item, Scalar) for item in level)
        if size > MOST_ALIASED:
            break  # more than any alias may repeat
        level = below
    return size, height


def _children(value: Value) -> Iterator[Value]:
    match value:
        case Items(values):
            yield from values
        case Entries(pairs):
            yield from (part for pair in pairs for part in pair)
