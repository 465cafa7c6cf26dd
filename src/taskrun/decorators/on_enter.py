"""<onEnter>: run a script when a step is entered, before its body and after the validator.

    <onEnter>logInfo("starting {}", order)</onEnter>

Rules: it runs once, before waiting for permits and before the first attempt. Its value is ignored; when it raises, the
step fails with that error.
"""

from __future__ import annotations

from taskrun.core.step import decorator
from taskrun.decorators.entry_script import EntryScript


@decorator("onEnter", rank=90)
class OnEnter(EntryScript):
    """Decorator for ``<onEnter>``: runs a script whenever the step is entered."""
