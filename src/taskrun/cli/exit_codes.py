"""Exit statuses of the command ``taskrun``; the errors of ``taskrun.errors`` define others as ``exit_status``."""

from __future__ import annotations

SUCCEEDED = 0
FAILED = 1
"""The run or the command failed."""
WRONG_USE = 2
"""The command line, a file or an input is wrong."""
SUSPENDED = 4
"""The run is suspended at a wait point."""
CANCELLED = 130
"""The run, or the command itself, was cancelled."""
