"""Observer of every run that logs ignored failures and dumped values with the logger ``taskrun``.

Rules: a failure that a step was allowed to have (``allowFailure``) is logged as a warning. A value that a flow dumps
(``dump="true"``) is logged with level INFO; the command line shows this level.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskrun.core.events import Event


def log_event(event: Event) -> None:
    """Log an event if it is an ignored failure or a dumped value; do nothing for any other event."""
    from taskrun.core.events import FailureIgnored, ValueDumped

    logger = logging.getLogger("taskrun")
    if isinstance(event, FailureIgnored):
        logger.warning("%s failed and was allowed to: %s (%s)", event.path, event.error, event.location)
    elif isinstance(event, ValueDumped):
        logger.info("%s %s %s = %r", event.path, event.kind, event.name, event.value)
