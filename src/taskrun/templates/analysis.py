"""Facts that the compilation of a template collects: the names it uses, its scripts, its problems, whether it awaits.

Rules: tags may call each other recursively, so a call can be compiled before the called tag is complete. Whether a
template awaits is therefore computed after compilation, over everything that it calls directly or indirectly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from taskrun.errors import Diagnostic
from taskrun.script.compiled_script import Script
from taskrun.script.template import Template
from taskrun.script.text_template import TextTemplate


@dataclass(slots=True, eq=False)
class TemplateFacts:
    """Facts about one template that are collected while it is compiled.

    Each name is listed under what is done with it; ``compile_template_body`` makes the Script from them.

    Attributes:
        problems: the diagnostics.
        reads: variables that its scripts read.
        uses: names of the namespace that its scripts read unless a variable has that name.
        stores: variables that its scripts assign.
        bound: variables that its tags set, as ``<c:var name="x"/>`` sets ``x``.
        slots: if the template is the body of a tag: the slots of this tag that it runs with ``xpl:slot``.
        calls: the facts of the tags that it calls and of the slot bodies that it passes to them.
        scripts: its compiled scripts.
        suspends: whether it has to be awaited because of its own scripts and tags; ``calls`` do not count.
        sets_any: whether its own scripts or tags set variables whose names are known only at run time.
        ready: whether its compilation is complete.
    """

    problems: list[Diagnostic] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    slots: set[str] = field(default_factory=set)
    calls: list[TemplateFacts] = field(default_factory=list)
    scripts: list[Script | Template | TextTemplate] = field(default_factory=list)
    suspends: bool = False
    sets_any: bool = False
    ready: bool = True

    def add_problems(self, problems: Iterable[Diagnostic]) -> None:
        """Add the given diagnostics, except those that were added before."""
        self.problems.extend(problem for problem in problems if problem not in self.problems)

    def needs_await(self) -> bool:
        """Return whether the template, or anything that it calls, has to be awaited."""
        return any(facts.suspends for facts in self._reachable())

    def sets_dynamic_names(self) -> bool:
        """Return whether the template, or anything that it calls, sets variables with names known only at run time."""
        return any(facts.sets_any for facts in self._reachable())

    def _reachable(self) -> Iterable[TemplateFacts]:
        """Yield these facts and, once each, those of all tags and slot bodies called directly or indirectly."""
        queue, seen = [self], {id(self)}
        for facts in queue:
            yield facts
            for called in facts.calls:
                if id(called) not in seen:
                    seen.add(id(called))
                    queue.append(called)

    def include(self, body: TemplateFacts, names: Iterable[str]) -> None:
        """Add the facts of a slot body, ``body``, which the template passes to a tag.

        ``names`` are the arguments of the slot. They are left out, because the template itself has no such variables.
        """
        own = set(names)
        self.reads |= body.reads - own
        self.uses |= body.uses - own
        self.stores |= body.stores - own
        self.bound |= body.bound - own
        self.slots |= body.slots
        self.scripts += body.scripts
        self.calls.append(body)
