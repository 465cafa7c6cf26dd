"""Put a file together from what it builds on.

    <task x:extends="base.task.xml,audit.task.xml">…</task>

Rules: each file is prepared alone (switches, then short forms), then laid over its bases: those of ``x:extends`` in their order,
then those that ``x:gen-extends`` makes, then the file. ``none`` drops what came before it, ``super`` is the same file in the
layers below. An element inside can extend files of its own. The merged tree is cleaned once, at the end; then
``x:post-extends`` is run and what it makes is laid over the tree. A file that builds on nothing is looked at no further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from taskrun.errors import Diagnostic, ExtendError, FlowError, near_hint
from taskrun.syntax.delta.features import Features
from taskrun.syntax.delta.layers import Files, Found
from taskrun.syntax.delta.merge import Merger
from taskrun.syntax.delta.operators import REPLACE, SECTIONS
from taskrun.syntax.delta.origins import owner_of
from taskrun.syntax.delta.prototypes import Cleaner
from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.node import TEXT, Node
from taskrun.syntax.normalize import PARTS

Generate: TypeAlias = Callable[[Node, Node], Sequence[Node]]
"""Runs a template at load time: its element and the tree so far → the elements that it makes."""

_EXTENDS, _GENERATE, _POST = "x:extends", "x:gen-extends", "x:post-extends"
_EXTENDABLE = PARTS | {"sequential", "graph", "selector", "parallel", "fork", "fork-n", "loop", "loop-n"}
"""The elements inside a file that can extend files of their own."""
_TAKEN = frozenset({_EXTENDS, "x:dump", "x:validated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What files are put together from.

    ``opaque`` are the tags of elements that hold scripts; ``config`` is what switches ask; ``transform`` is run on the
    merged tree; ``dump`` gets a tree that asked for it by ``x:dump``.
    """

    files: Files
    opaque: frozenset[str]
    generate: Generate
    config: Mapping[str, Any] = field(default_factory=dict)
    transform: Callable[[Node], Node] | None = None
    dump: Callable[[Node], None] | None = None
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each file that was read, the files that led to it."""

    trees: dict[str, Node] = field(default_factory=dict)
    """The trees of the libraries of tags that were read, by path."""

    def bare(self) -> Sources:
        """Return the same for a file that is no flow, such as a tag library."""
        return replace(self, transform=None, dump=None)


def load_and_extend(path: str, sources: Sources) -> Node:
    """Load the file at ``path`` and extend it; raises XmlError and ExtendError."""
    found = sources.files.layered(path)
    return extend(sources.files.load(found.path), found, sources)


def extend(root: Node, found: Found, sources: Sources) -> Node:
    """Return the tree of a loaded file with everything that it builds on merged in; raises XmlError and ExtendError.

    ``found`` is the file with its delta layers, of which ``root`` is the topmost.
    """
    work = _Extension(sources)
    text = root.source.text
    if len(found.paths) == 1 and not _may_have(text, "x:", "feature:"):
        root = rewrite_short_forms(root) if _may_have(text, "in:", "out:") else root
    else:
        dumped = root.attributes.get("x:dump") in {"true", "1"}
        root = work.whole(work.resolved(work.prepared(root), (found,)))
        if dumped and sources.dump:
            sources.dump(root)
    return sources.transform(root) if sources.transform and _may_have(text, "customType", "x:") else root


def _may_have(text: str, *words: str) -> bool:
    """Whether a file may have such names: to look at its text is much faster than at its tree."""
    return any(word in text for word in words)


class _Extension:
    """One file being put together."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.features = Features(sources.config)
        self.merger = Merger(sources.opaque)

    def whole(self, merged: Node) -> Node:
        """Return the finished tree of a merged one; raises ExtendError."""
        cleaner = Cleaner(self.merger)
        self.merger.problems.extend(_of_no_root(merged))
        root = cleaner.clean(_without_sections(merged, _POST))
        self.stop()
        sections = [child for child in merged.children if child.tag == _POST]
        for section in sections:
            for made in self.sources.generate(section, root):
                root = cleaner.clean(self.merger.merge(root, rewrite_short_forms(made)))
                self.stop()
        return root

    def stop(self) -> None:
        """Raise what has been noted."""
        problems = [*self.features.problems, *self.merger.problems]
        if problems:
            raise ExtendError(dict.fromkeys(problems))

    def prepared(self, root: Node) -> Node:
        """Return a file's tree after its switches and short forms."""
        root = rewrite_short_forms(self.features.apply(root))
        self.stop()
        return root

    def resolved(self, root: Node, chain: tuple[Found, ...]) -> Node:
        """Return a tree laid over its bases."""
        self.sources.chains.setdefault(chain[-1].path, tuple(found.path for found in chain))
        if root.attributes.get("x:validated") in {"true", "1"}:
            if _EXTENDS in root.attributes:
                message = "x:validated='true' says that the file is finished, x:extends that it is not"
                raise ExtendError([root.problem("no-meaning", message, attribute="x:validated")])
            return _said(root)
        children = tuple(self._inside(child, chain) for child in root.children)
        own = root if children == root.children else root._replace(children=children)
        bases = list(self._bases(root, chain))
        own = _said(_without_sections(own, _GENERATE))
        if not bases:
            return own
        merged = bases[0]
        for layer in (*bases[1:], own):
            merged = self.merger.merge(*_in_one_language(merged, layer))
        return merged

    def _inside(self, node: Node, chain: tuple[Found, ...]) -> Node:
        """Return an element whose inner elements, and itself, are laid over their own bases."""
        if node.tag in _EXTENDABLE and (_EXTENDS in node.attributes or node.child(_GENERATE) is not None):
            return self._container(self.resolved(node, chain))
        if not node.children or node.tag in self.sources.opaque or node.tag in SECTIONS or node.tag == TEXT:
            return node
        children = tuple(self._inside(child, chain) for child in node.children)
        return node if children == node.children else node._replace(children=children)

    def _container(self, node: Node) -> Node:
        """Return an element that extends files, finished: it takes the place of what a base of the file has there."""
        for section in node.children:
            if section.tag in SECTIONS:
                message = f"<{section.tag}> belongs to a whole file, and this one is extended by <{node.tag}>"
                self.merger.problems.append(section.problem("no-meaning", message, hint=str(node.at)))
        attributes = dict(node.attributes)
        if schema := attributes.pop("x:schema", ""):
            attributes.setdefault("scriptLang", "xscript" if schema.endswith("task.xdef") else "python")
        return node._replace(attributes={**attributes, "x:override": REPLACE})

    def _bases(self, node: Node, chain: tuple[Found, ...]) -> Iterator[Node]:
        """Yield what a node is laid over, the innermost first."""
        bases: list[Node] = []
        words = [part.strip() for part in node.attributes.get(_EXTENDS, "none").split(",")]
        if not all(words):
            hint = "write the paths of files with commas between them, or none"
            message = f"x:extends='{node.attributes[_EXTENDS]}' names no file in one of its places"
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
                    yield self.resolved(self.prepared(made), chain)

    def _base(self, node: Node, word: str, chain: tuple[Found, ...]) -> Node:
        owner = owner_of(node, _EXTENDS)
        found = chain[-1].below if word == "super" else self._find(owner, word, chain)
        if found is None:
            hint = "super stands in a file of a _delta folder that covers another"
            raise ExtendError(
                [owner.problem("no-base", "'super': no layer below has this file", attribute=_EXTENDS, hint=hint)]
            )
        if any(found.path == other.path for other in chain):
            names = " extends ".join(other.path for other in (*chain, found))
            raise ExtendError([owner.problem("cycle", f"a file extends itself: {names}", attribute=_EXTENDS)])
        longer = (*chain, found)
        self.sources.chains.setdefault(found.path, tuple(other.path for other in longer))
        return self.resolved(self.prepared(self.sources.files.load(found.path)), longer)

    def _find(self, node: Node, word: str, chain: tuple[Found, ...]) -> Found:
        try:
            return self.sources.files.named(word, chain[-1].path)
        except LookupError as error:
            hint = "; ".join(filter(None, (_near(word, chain[-1].path), getattr(error, "hint", ""))))
            raise ExtendError([node.problem("no-base", str(error), attribute=_EXTENDS, hint=hint)]) from None


def _near(word: str, said_in: str) -> str:
    """Return the near name among the files beside a missing one."""
    wanted = Path(said_in).parent / word
    try:
        return near_hint(wanted.name, sorted(entry.name for entry in wanted.parent.iterdir() if entry.is_file()))
    except OSError:
        return ""


def _of_no_root(root: Node) -> Iterator[Diagnostic]:
    """Yield what says something about siblings or a base that the root of a flow does not have."""
    for name in ("x:prototype", "x:virtual", "x:inherit"):
        if name in root.attributes:
            hint = "the root has no siblings; it builds on x:extends"
            yield root.problem("no-meaning", f"{name} means nothing on the root", hint=hint, attribute=name)
    if root.attributes.get("x:abstract") in {"true", "1"}:
        message = "this file is x:abstract: it is there to be extended"
        yield root.problem("abstract", message, hint="use a file that extends it", attribute="x:abstract")


def _said(node: Node) -> Node:
    """Return an element without the words that have been heard."""
    if _TAKEN.isdisjoint(node.attributes):
        return node
    return node._replace(attributes={name: text for name, text in node.attributes.items() if name not in _TAKEN})


def _without_sections(node: Node, *tags: str) -> Node:
    children = tuple(child for child in node.children if child.tag not in tags)
    return node if len(children) == len(node.children) else node._replace(children=children)


def language_of(root: Node) -> str | None:
    """Return the dialect of scripts that a file says, None when it says none."""
    if language := root.attributes.get("scriptLang"):
        return language
    return "xscript" if root.attributes.get("x:schema", "").endswith("task.xdef") else None


def _in_one_language(base: Node, layer: Node) -> tuple[Node, Node]:
    """Return a base and the layer over it; when they speak different dialects, each step says its own."""
    said, own = language_of(layer), language_of(base) or "python"
    if said is None or said == own or layer.attributes.get("x:override") == REPLACE:
        return base, layer
    kept = {name: text for name, text in base.attributes.items() if name not in {"scriptLang", "x:schema"}}
    return _saying(base._replace(attributes=kept), own), _saying(layer, said)


def _saying(node: Node, language: str) -> Node:
    """Return an element whose steps with scripts, on all levels, say their dialect."""
    children = []
    for child in node.children:
        if child.tag == "steps" or child.tag in PARTS:
            child = _saying(child, language)  # noqa: PLW2901 - the same element, its steps with their dialect
        elif node.tag == "steps" and child.tag != TEXT:
            child = _saying(child, child.attributes.get("scriptLang", language))  # noqa: PLW2901 - likewise
            if any(part.tag not in {"steps", "description", *PARTS} for part in child.children):
                child = child._replace(attributes={"scriptLang": language, **child.attributes})  # noqa: PLW2901 - likewise
        children.append(child)
    return node._replace(children=tuple(children))


def with_chain(error: FlowError, sources: Sources, path: str) -> FlowError:
    """Return the error with, behind each problem in another file than the flow's at ``path``, the files that lead there."""
    told = []
    for problem in error.diagnostics:
        place = problem.location.path
        chain = sources.chains.get(place, () if place == path else (path, place))
        way = " extends ".join(chain) if place in sources.chains else f"used by {path}"
        if len(chain) > 1:
            problem = replace(problem, hint=f"{problem.hint}; {way}" if problem.hint else way)  # noqa: PLW2901 - likewise
        told.append(problem)
    return type(error)(told)
