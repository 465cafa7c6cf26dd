"""Languages of ``<script lang="…">``: their protocol, and the lookup of those that are installed.

    class Sql:                                               # satisfies Language
        def compile(self, source: Node, step: Node, settings: ScriptSettings) -> Code:
            return SqlCode(text=source.text, node=source, reads=…)

    [project.entry-points."taskrun.languages"]               # or TaskManager(languages={"sql": Sql()})
    sql = "shop.sql:Sql"

Rules: a language compiles a text to Code when the file is compiled, and raises BindError if the text is wrong. Code is
immutable and shared by all runs. Only ``<source>`` is in the language; inputs, outputs and settings of the step remain
in the dialect of the file. Two languages with one name are an error that names both owners.
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
    """Compiled text of a ``<script>``; a language returns it, and ``run`` executes it.

    Variables, for the checks of the flow: ``reads`` must exist, ``uses`` are read only if they exist, and ``stores``
    may be assigned in the scope of the step.
    """

    attributes: ClassVar[frozenset[str]] = _NONE
    """The attributes of ``<script>`` that only this language uses; with another language they are an error."""
    may_suspend: ClassVar[bool] = True
    """Whether ``run`` may await; set it to False only if it never does."""

    text: str
    node: Node = field(repr=False, compare=False)
    attribute: str | None = None
    reads: frozenset[str] = _NONE
    stores: frozenset[str] = _NONE
    uses: frozenset[str] = _NONE

    @abstractmethod
    def run(self, frame: Frame) -> Awaitable[Any]:
        """Execute the code for the step of the frame; return the RESULT, or a Completion to return several outputs."""

    @property
    def function(self) -> Script | None:
        """The code as a Script, for languages that compile to one; else None.

        The optimizer runs a Script without a coroutine.
        """
        return None

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield problems of the element ``<script>`` that only this language can find."""
        return ()


class Language(Protocol):
    """Protocol of a language for ``<script lang="…">``: an object that compiles the text of the element."""

    def compile(self, source: Node, step: Node, settings: ScriptSettings) -> Code:
        """Return the code of the element ``source``, which is inside the element ``step``.

        Raise BindError if it is wrong.
        """


def languages(extra: Mapping[str, Language]) -> dict[str, Language]:
    """Return all languages by name: the built-in ones, those of installed packages, and ``extra``.

    Raises PluginError if two of them have the same name, if one cannot be loaded, or if one has no method ``compile``.
    """
    found: dict[str, Language] = dict(importlib.import_module(BUILT_IN).LANGUAGES)
    owners = dict.fromkeys(found, "taskrun itself")
    for name, language, owner in (*_installed_languages(), *_passed_languages(extra)):
        if not callable(getattr(language, "compile", None)):
            raise PluginError(f"{owner}: the language '{name}' has no method compile(source, step, settings)")
        if name in owners:
            raise PluginError(f"the language '{name}' has two owners: {owners[name]} and {owner}; rename one of them")
        found[name] = language
        owners[name] = owner
    return found


def language_of(step: Node, known: Mapping[str, Language]) -> Language:
    """Return the language that the attribute ``lang`` of an element names.

    Raise BindError if ``known`` does not have it.
    """
    name = step.attributes.get("lang", "")
    if name in known:
        return known[name]
    hint = near_hint(name, known) or f"known languages: {', '.join(sorted(known))}"
    message = f"unknown script language '{name}'"
    raise BindError([step.problem("unsupported-language", message, hint=hint, attribute="lang")])


def _installed_languages() -> Iterator[tuple[str, Any, str]]:
    """Yield name, language and owner (for messages) of each language that an installed package provides."""
    for entry in entry_points(group=GROUP):
        language = _load(entry)
        yield entry.name, language() if inspect.isclass(language) else language, f"entry point {GROUP} {entry.value}"


def _passed_languages(extra: Mapping[str, Language]) -> Iterator[tuple[str, Any, str]]:
    """Yield name, language and owner (for messages) of each language that was passed to the TaskManager."""
    for name, language in extra.items():
        yield name, language() if inspect.isclass(language) else language, "TaskManager(languages=…)"


def _load(entry: EntryPoint) -> Any:
    """Load the object of an entry point; raise PluginError if that fails."""
    try:
        return entry.load()
    except Exception as error:
        raise PluginError(f"the language '{entry.name}' ({entry.value}) cannot be loaded: {error}") from error
