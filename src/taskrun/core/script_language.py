"""The languages of ``<script lang="…">``: what one is, and which there are.

    class Sql:                                               # satisfies Language
        def compile(self, source: Node, step: Node, settings: ScriptSettings) -> Code:
            return SqlCode(text=source.text, node=source, reads=…)

    [project.entry-points."taskrun.languages"]               # or TaskManager(languages={"sql": Sql()})
    sql = "shop.sql:Sql"

Rules: a language turns a text into Code when the file is compiled, and says there what is wrong with it (BindError with
Diagnostics); Code is an immutable value that any number of runs share. Only ``<source>`` is in the language: inputs,
outputs and settings of the step stay in the dialect of the file (or have that of a step in ``python`` or ``xscript``). Two owners of one name is an error that names both.
"""

from __future__ import annotations

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from taskrun.errors import BindError, Diagnostic, PluginError, near_hint
from taskrun.plugins import entry_points
from taskrun.script.script import Script, ScriptSettings
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.frame import Frame
    from taskrun.core.step import Step

GROUP = "taskrun.languages"
BUILT_IN = "taskrun.languages"
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(ABC):
    """A compiled text; ``run`` is its whole meaning.

    ``reads`` are the variables that it needs, ``uses`` those that it takes when they are there, ``stores`` those that
    it may set in the step's scope: what the analysis of the flow goes by.
    """

    attributes: ClassVar[frozenset[str]] = _NONE
    """The attributes of ``<script>`` besides ``lang`` that mean something to the language."""
    may_suspend: ClassVar[bool] = True
    """Whether ``run`` may await. False only where it surely does not."""

    text: str
    node: Node = field(repr=False, compare=False)
    attribute: str | None = None
    reads: frozenset[str] = _NONE
    stores: frozenset[str] = _NONE
    uses: frozenset[str] = _NONE

    @abstractmethod
    def run(self, frame: Frame) -> Awaitable[Any]:
        """Evaluate it for the step of the frame: return the RESULT, or a Completion with several outputs."""

    @property
    def function(self) -> Script | None:
        """The script that it is nothing but, None when there is more to it."""
        return None

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield what is wrong with the step round the text, from the text's point of view."""
        return ()


class Language(Protocol):
    """What the text of a ``<script>`` can be written in."""

    def compile(self, source: Node, step: Node, settings: ScriptSettings) -> Code:
        """Return the code of the element ``source``, which stands in ``step``; raises BindError when it is wrong."""


def languages(extra: Mapping[str, Language]) -> dict[str, Language]:
    """Return the languages by name: the built-in ones, those of installed packages, and ``extra``.

    Raises PluginError when two have one name, or one cannot be loaded or is none.
    """
    found: dict[str, Language] = dict(importlib.import_module(BUILT_IN).LANGUAGES)
    owners = dict.fromkeys(found, "taskrun itself")
    for name, language, owner in (*_installed(), *_given(extra)):
        if not callable(getattr(language, "compile", None)):
            raise PluginError(f"{owner}: the language '{name}' has no method compile(source, step, settings)")
        if name in owners:
            raise PluginError(f"the language '{name}' has two owners: {owners[name]} and {owner}")
        found[name] = language
        owners[name] = owner
    return found


def language_of(step: Node, known: Mapping[str, Language]) -> Language:
    """Return the language that the attribute ``lang`` of an element names, or raise BindError."""
    name = step.attributes.get("lang", "")
    if name in known:
        return known[name]
    hint = near_hint(name, known) or f"known are {', '.join(sorted(known))}"
    message = f"unknown script language '{name}'"
    raise BindError([step.problem("unsupported-language", message, hint=hint, attribute="lang")])


def _installed() -> Iterator[tuple[str, Any, str]]:
    for entry in entry_points(group=GROUP):
        language = _loaded(entry)
        yield entry.name, language() if inspect.isclass(language) else language, f"entry point {GROUP} {entry.value}"


def _given(extra: Mapping[str, Language]) -> Iterator[tuple[str, Any, str]]:
    for name, language in extra.items():
        yield name, language() if inspect.isclass(language) else language, "TaskManager(languages=…)"


def _loaded(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        raise PluginError(f"the language '{entry.name}' ({entry.value}) cannot be loaded: {error}") from error
