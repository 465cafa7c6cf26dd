"""The observer that every run has: what must not go by unseen goes to the logger ``taskrun``.

Rules: ignored failures are warnings, dumped values are information that is always shown (level WARNING would frighten,
so the command line sets the logger's level to INFO).
"""

from __future__ import annotations

import logging

from taskrun.core.events import Event, FailureIgnored, ValueDumped


def log_event(event: Event) -> None:
    """Log an ignored failure or a dumped value; other events are not for the log."""
    logger = logging.getLogger("taskrun")
    if isinstance(event, FailureIgnored):
        logger.warning("%s failed and was allowed to: %s (%s)", event.path, event.error, event.location)
    elif isinstance(event, ValueDumped):
        logger.info("%s %s %s = %r", event.path, event.kind, event.name, event.value)
