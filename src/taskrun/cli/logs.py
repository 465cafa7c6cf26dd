"""What the logger ``taskrun`` says, as lines on standard error: ``taskrun: warning: …``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"taskrun: {level}{super().format(record)}"


@contextmanager
def logs_to_standard_error() -> Iterator[None]:
    """Show the log of taskrun, and what scripts log, while the block runs."""
    logger = logging.getLogger("taskrun")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(message)s"))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
