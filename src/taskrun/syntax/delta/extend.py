"""Extend a file: merge it with its bases, its layers and the output of its templates into one tree.

    <task x:extends="base.task.xml,audit.task.xml">…</task>

Rules: switches and short forms (``in:x="1"``) are applied to each file alone, before it is merged. The order is: the
files of ``x:extends`` as listed, then the output of ``x:gen-extends``, then the file itself; each is merged over the
ones before it. In ``x:extends``, ``none`` drops the files listed before it, and ``super`` is the next version of the
file in the layers below. A container inside a file may extend files, too. At the end, ``prototypes.py`` cleans the
tree, and the output of ``x:post-extends`` is merged over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from taskrun.errors import Diagnostic, ExtendError, FlowError, near_hint
from taskrun.syntax.delta.features import Features
from taskrun.syntax.delta.layers import Files, LayeredFile
from taskrun.syntax.delta.merge import Merger
from taskrun.syntax.delta.operators import REPLACE, SECTIONS
from taskrun.syntax.delta.origins import owner_of
from taskrun.syntax.delta.prototypes import Cleaner
from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.node import TEXT, Node
from taskrun.syntax.normalize import PARTS

Generate: TypeAlias = Callable[[Node, Node], Sequence[Node]]
"""Expands a template while files are merged: (its element, the tree so far) → the elements that it outputs."""

_EXTENDS, _GENERATE, _POST = "x:extends", "x:gen-extends", "x:post-extends"
_HANDLED = frozenset({_EXTENDS, "x:dump", "x:validated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the extend stage needs to compile one flow: settings, functions and caches.

    ``opaque`` are the tags of elements that contain scripts, ``containers`` of those that may have ``x:extends``.
    ``generate`` expands a template. ``config`` is the configuration that switches read. ``transform`` changes the
    merged tree at the end. ``dump`` receives each merged tree whose root has ``x:dump``.
    """

    files: Files
    opaque: frozenset[str]
    containers: frozenset[str]
    generate: Generate
    config: Mapping[str, Any] = field(default_factory=dict)
    transform: Callable[[Node], Node] | None = None
    dump: Callable[[Node], None] | None = None
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each file that was read: the chain of files that extend each other, from the flow to that file."""

    trees: dict[str, Node] = field(default_factory=dict)
    """Trees of the tag libraries that were read, by file path."""

    def for_tag_library(self) -> Sources:
        """Return a copy for loading a tag library: without ``transform`` and ``dump``, which apply only to flows."""
        return replace(self, transform=None, dump=None)


def load_and_extend(path: str, sources: Sources) -> Node:
    """Parse the file at ``path`` and return its tree, merged with its bases, layers and the output of its templates.

    Raises XmlError if a file cannot be parsed, and ExtendError if files cannot be merged.
    """
    found = sources.files.with_layers(path)
    return extend(sources.files.load(found.path), found, sources)


def extend(root: Node, found: LayeredFile, sources: Sources) -> Node:
    """Return the tree of a parsed file merged with its bases, layers and the output of its templates.

    ``root`` is the tree of the topmost version of the file ``found``. Raises XmlError if another file cannot be parsed,
    and ExtendError if files cannot be merged.
    """
    text = root.source.text
    if len(found.paths) == 1 and not _may_have(text, "x:", "feature:"):
        root = rewrite_short_forms(root) if _may_have(text, "in:", "out:") else root
    else:
        dumped = root.attributes.get("x:dump") in {"true", "1"}
        work = _Extender(sources)
        root = work.finish(work.merge_bases(work.preprocess(root), (found,)))
        if dumped and sources.dump:
            sources.dump(root)
    return sources.transform(root) if sources.transform and _may_have(text, "customType", "x:") else root


def _may_have(text: str, *words: str) -> bool:
    """Return True if a text contains one of the words, else False; much faster than a search of the parsed tree."""
    return any(word in text for word in words)


class _Extender:
    """Merges one file with its bases, layers and the output of its templates."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.features = Features(sources.config)
        self.merger = Merger(sources.opaque)

    def finish(self, merged: Node) -> Node:
        """Clean a merged tree, and merge the output of ``x:post-extends`` over it.

        Cleaning applies prototypes and drops removed elements. Raises ExtendError if problems were recorded.
        """
        cleaner = Cleaner(self.merger)
        self.merger.problems.extend(_root_problems(merged))
        root = cleaner.clean(_without_sections(merged, _POST))
        self.raise_problems()
        sections = [child for child in merged.children if child.tag == _POST]
        for section in sections:
            for made in self.sources.generate(section, root):
                root = cleaner.clean(self.merger.merge(root, rewrite_short_forms(made)))
                self.raise_problems()
        return root

    def raise_problems(self) -> None:
        """Raise ExtendError if switches or merges have recorded problems."""
        problems = [*self.features.problems, *self.merger.problems]
        if problems:
            raise ExtendError(dict.fromkeys(problems))

    def preprocess(self, root: Node) -> Node:
        """Apply the switches of a file, rewrite its short forms (``in:``, ``out:``), and return the new tree."""
        root = rewrite_short_forms(self.features.apply(root))
        self.raise_problems()
        return root

    def merge_bases(self, root: Node, chain: tuple[LayeredFile, ...]) -> Node:
        """Return the tree ``root`` merged over the files that its ``x:extends`` and ``x:gen-extends`` name or produce.

        ``chain`` begins with the flow and ends with the file of ``root``; each of its files extends the next one.
        """
        self.sources.chains.setdefault(chain[-1].path, tuple(found.path for found in chain))
        if root.attributes.get("x:validated") in {"true", "1"}:
            if _EXTENDS in root.attributes:
                message = "x:validated='true' excludes x:extends: a validated file is not merged with others"
                raise ExtendError([root.problem("no-meaning", message, attribute="x:validated")])
            return _without_handled(root)
        children = tuple(self._extend_inner(child, chain) for child in root.children)
        own = root if children == root.children else root._replace(children=children)
        bases = list(self._bases(root, chain))
        own = _without_handled(_without_sections(own, _GENERATE))
        if not bases:
            return own
        merged = bases[0]
        for delta in (*bases[1:], own):
            merged = self.merger.merge(*_separate_dialects(merged, delta))
        return merged

    def _extend_inner(self, node: Node, chain: tuple[LayeredFile, ...]) -> Node:
        """Return a copy of an element in which each container with ``x:extends`` is merged over its own bases.

        ``chain`` begins with the flow and ends with the file of ``node``; each of its files extends the next one.
        """
        if node.tag in self.sources.containers and (_EXTENDS in node.attributes or node.child(_GENERATE) is not None):
            return self._as_replacement(self.merge_bases(node, chain))
        if not node.children or node.tag in self.sources.opaque or node.tag in SECTIONS or node.tag == TEXT:
            return node
        children = tuple(self._extend_inner(child, chain) for child in node.children)
        return node if children == node.children else node._replace(children=children)

    def _as_replacement(self, node: Node) -> Node:
        """Return a container, merged with its own bases, marked to replace the one in the bases of its file."""
        for section in node.children:
            if section.tag in SECTIONS:
                message = f"<{section.tag}> cannot be used here: only <{node.tag}> extends this file, not a whole file"
                self.merger.problems.append(section.problem("no-meaning", message, hint=str(node.at)))
        attributes = dict(node.attributes)
        if schema := attributes.pop("x:schema", ""):
            attributes.setdefault("scriptLang", "xscript" if schema.endswith("task.xdef") else "python")
        return node._replace(attributes={**attributes, "x:override": REPLACE})

    def _bases(self, node: Node, chain: tuple[LayeredFile, ...]) -> Iterator[Node]:
        """Yield the trees that ``node`` is merged over, the lowest first.

        ``chain`` begins with the flow and ends with the file of ``node``; each of its files extends the next one.
        """
        bases: list[Node] = []
        words = [part.strip() for part in node.attributes.get(_EXTENDS, "none").split(",")]
        if not all(words):
            hint = "write the paths of files with commas between them, or none"
            message = f"x:extends='{node.attributes[_EXTENDS]}' has an empty path"
            raise ExtendError([owner_of(node, _EXTENDS).problem("bad-value", message, attribute=_EXTENDS, hint=hint)])
        for word in words:
            if word == "none":
                bases.clear()
            else:
                bases.append(self._base(node, word, chain))
        yield from bases
        for section in node.children:
            if section.tag == _GENERATE:
                for made in self.sources.generate(section, node):
                    yield self.merge_bases(self.preprocess(made), chain)

    def _base(self, node: Node, word: str, chain: tuple[LayeredFile, ...]) -> Node:
        owner = owner_of(node, _EXTENDS)
        found = chain[-1].below if word == "super" else self._find(owner, word, chain)
        if found is None:
            hint = "write super only in a file of a _delta folder that covers another file"
            raise ExtendError(
                [owner.problem("no-base", "'super': no layer below has this file", attribute=_EXTENDS, hint=hint)]
            )
        if any(found.path == other.path for other in chain):
            names = " extends ".join(other.path for other in (*chain, found))
            raise ExtendError([owner.problem("cycle", f"a file extends itself: {names}", attribute=_EXTENDS)])
        longer = (*chain, found)
        self.sources.chains.setdefault(found.path, tuple(other.path for other in longer))
        return self.merge_bases(self.preprocess(self.sources.files.load(found.path)), longer)

    def _find(self, node: Node, word: str, chain: tuple[LayeredFile, ...]) -> LayeredFile:
        try:
            return self.sources.files.resolve(word, chain[-1].path)
        except LookupError as error:
            hint = "; ".join(filter(None, (_similar_file(word, chain[-1].path), getattr(error, "hint", ""))))
            raise ExtendError([node.problem("no-base", str(error), attribute=_EXTENDS, hint=hint)]) from None


def _similar_file(word: str, from_file: str) -> str:
    """Return a hint with the file name most similar to the path ``word``, which does not exist; or ``""``."""
    wanted = Path(from_file).parent / word
    try:
        return near_hint(wanted.name, sorted(entry.name for entry in wanted.parent.iterdir() if entry.is_file()))
    except OSError:
        return ""


def _root_problems(root: Node) -> Iterator[Diagnostic]:
    """Yield a problem for a root with ``x:abstract`` (it cannot be run) or attributes without meaning there."""
    for name in ("x:prototype", "x:virtual", "x:inherit"):
        if name in root.attributes:
            hint = "the root has no siblings; use x:extends"
            yield root.problem("no-meaning", f"{name} has no meaning on the root", hint=hint, attribute=name)
    if root.attributes.get("x:abstract") in {"true", "1"}:
        message = "this file is x:abstract: it can be extended, but not run"
        yield root.problem("abstract", message, hint="run a file that extends it", attribute="x:abstract")


def _without_handled(node: Node) -> Node:
    """Return an element without ``x:extends``, ``x:dump`` and ``x:validated``, which have been obeyed."""
    if _HANDLED.isdisjoint(node.attributes):
        return node
    return node._replace(attributes={name: text for name, text in node.attributes.items() if name not in _HANDLED})


def _without_sections(node: Node, *tags: str) -> Node:
    children = tuple(child for child in node.children if child.tag not in tags)
    return node if len(children) == len(node.children) else node._replace(children=children)


def language_of(root: Node) -> str | None:
    """Return the script dialect that a file declares, None if it declares none."""
    if language := root.attributes.get("scriptLang"):
        return language
    return "xscript" if root.attributes.get("x:schema", "").endswith("task.xdef") else None


def _separate_dialects(base: Node, layer: Node) -> tuple[Node, Node]:
    """Return a base and the delta over it, changed so that each script keeps its dialect when they are merged.

    If the dialects of the two files differ, the dialect is declared on each step of both.
    """
    declared, own = language_of(layer), language_of(base) or "python"
    if declared is None or declared == own or layer.attributes.get("x:override") == REPLACE:
        return base, layer
    attributes = {name: text for name, text in base.attributes.items() if name not in {"scriptLang", "x:schema"}}
    return _with_dialect(base._replace(attributes=attributes), own), _with_dialect(layer, declared)


def _with_dialect(node: Node, language: str) -> Node:
    """Return an element in which every step with a script, at any depth, declares its dialect."""
    children = []
    for child in node.children:
        if child.tag == "steps" or child.tag in PARTS:
            child = _with_dialect(child, language)  # noqa: PLW2901 - the same element, its steps with their dialect
        elif node.tag == "steps" and child.tag != TEXT:
            child = _with_dialect(child, child.attributes.get("scriptLang", language))  # noqa: PLW2901 - likewise
            if any(part.tag not in {"steps", "description", *PARTS} for part in child.children):
                child = child._replace(attributes={"scriptLang": language, **child.attributes})  # noqa: PLW2901 - likewise
        children.append(child)
    return node._replace(children=tuple(children))


def add_extends_chain(error: FlowError, sources: Sources, path: str) -> FlowError:
    """Return a copy of the error whose hints tell how the flow at ``path`` leads to the other files with problems.

    The hint is such as ``pay.task.xml extends base.task.xml`` or ``used by pay.task.xml``.
    """
    problems = []
    for problem in error.diagnostics:
        place = problem.location.path
        chain = sources.chains.get(place, () if place == path else (path, place))
        way = " extends ".join(chain) if place in sources.chains else f"used by {path}"
        if len(chain) > 1:
            problem = replace(problem, hint=f"{problem.hint}; {way}" if problem.hint else way)  # noqa: PLW2901 - likewise
        problems.append(problem)
    return type(error)(problems)
