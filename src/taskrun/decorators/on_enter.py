"""<onEnter>: a script that runs each time a step is entered, before its body and after the validator.

    <onEnter>logInfo("starting {}", order)</onEnter>

Rules: it runs once, before waiting for permits and before the first attempt. Its value is ignored; what it raises is the
step's failure.
"""

from __future__ import annotations

from taskrun.core.step import decorator
from taskrun.decorators.entry_script import Entry


@decorator("onEnter", rank=90)
class OnEnter(Entry):
    """A script on entry."""
