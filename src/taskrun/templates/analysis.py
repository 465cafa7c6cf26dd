"""What compiling a template finds out about it.

Rules: a tag that is still being compiled when it is called (tags may call each other in a circle) is asked later whether it
waits: a body waits if anything does that it calls, however far away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from taskrun.errors import Diagnostic
from taskrun.script.compiled_script import Script
from taskrun.script.template import Template
from taskrun.script.text_template import TextTemplate


@dataclass(slots=True, eq=False)
class Found:
    """What a template's scripts read, assign and do, gathered while it is compiled.

    ``bound`` are the variables that its tags set; ``calls`` is the same of the tags that it calls and of what fills their
    slots; ``slots`` are those of its own slots that it uses; ``scripts`` is all that was
    compiled; ``ready`` is false while that is going on.
    """

    problems: list[Diagnostic] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    slots: set[str] = field(default_factory=set)
    calls: list[Found] = field(default_factory=list)
    scripts: list[Script | Template | TextTemplate] = field(default_factory=list)
    suspends: bool = False
    sets_any: bool = False
    ready: bool = True

    def note(self, problems: Iterable[Diagnostic]) -> None:
        """Note problems, each once."""
        self.problems.extend(problem for problem in problems if problem not in self.problems)

    def waits(self) -> bool:
        """Whether anything in it, or in what it calls, has to be awaited."""
        return any(found.suspends for found in self._all())

    def sets(self) -> bool:
        """Whether anything in it, or in what it calls, may set variables of the task whose names only the run knows."""
        return any(found.sets_any for found in self._all())

    def _all(self) -> Iterable[Found]:
        waiting, seen = [self], {id(self)}
        for found in waiting:
            yield found
            for inner in found.calls:
                if id(inner) not in seen:
                    seen.add(id(inner))
                    waiting.append(inner)

    def took(self, inner: Found, names: Iterable[str]) -> None:
        """Take what the filling of a slot was found to do, which has the variables ``names`` of its own."""
        own = set(names)
        self.reads |= inner.reads - own
        self.uses |= inner.uses - own
        self.stores |= inner.stores - own
        self.bound |= inner.bound - own
        self.slots |= inner.slots
        self.scripts += inner.scripts
        self.calls.append(inner)
