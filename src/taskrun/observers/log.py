"""Observer of every run that logs ignored failures and dumped values to the logger ``taskrun``.

Rules: ignored failures are logged as warnings, dumped values with level INFO (the command line shows this level).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskrun.core.events import Event


def log_event(event: Event) -> None:
    """Log the event if it is an ignored failure or a dumped value; ignore other events."""
    from taskrun.core.events import FailureIgnored, ValueDumped

    logger = logging.getLogger("taskrun")
    if isinstance(event, FailureIgnored):
        logger.warning("%s failed and was allowed to: %s (%s)", event.path, event.error, event.location)
    elif isinstance(event, ValueDumped):
        logger.info("%s %s %s = %r", event.path, event.kind, event.name, event.value)
