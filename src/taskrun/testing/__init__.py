"""Tools for tests of flows: an event loop with virtual time, and a TaskManager with additional checks.

    from taskrun.testing import TaskManager, run_virtual

Modules here import ``taskrun.manager`` and asyncio. Nothing else in taskrun imports this package: it is for tests only.
Begin with ``virtual_time``.
"""

from __future__ import annotations

from taskrun.testing.manager import TaskManager as TaskManager
from taskrun.testing.virtual_time import VirtualTimeLoop as VirtualTimeLoop
from taskrun.testing.virtual_time import run_virtual as run_virtual
