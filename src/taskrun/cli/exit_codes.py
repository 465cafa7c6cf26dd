"""Exit statuses of the command ``taskrun``."""

from __future__ import annotations

SUCCEEDED = 0
FAILED = 1
"""The run failed, or the command could not do what it was called for."""
WRONG_USE = 2
"""The command line, a file or an input is wrong."""
SUSPENDED = 4
"""The run is suspended at a wait point."""
CANCELLED = 130
"""The run, or the command itself, was cancelled."""
