"""Log of taskrun on standard error, as lines such as ``taskrun: warning: …``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class LineFormatter(logging.Formatter):
    """Formatter of log records as lines such as ``taskrun: warning: …``; the level INFO is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a log record as one line with its level."""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"taskrun: {level}{super().format(record)}"


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Write the messages of the logger ``taskrun`` to standard error during the block; scripts log to it too."""
    logger = logging.getLogger("taskrun")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter("%(message)s"))
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
