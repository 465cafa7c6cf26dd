"""<onEnter>: run a script when a step is entered, before its body and after the validator.

    <onEnter>logInfo("starting {}", order)</onEnter>

Rules: the script runs once per entry: before the step waits for a ``throttle`` or ``rate-limit``, and not again for
further attempts of a ``retry``. Its value is ignored; if it raises, the step fails with that exception.
"""

from __future__ import annotations

from taskrun.core.step import decorator
from taskrun.decorators.entry_script import EntryScript


@decorator("onEnter", rank=90)
class OnEnter(EntryScript):
    """Decorator for ``<onEnter>``: runs a script whenever the step is entered."""
