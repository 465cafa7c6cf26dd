"""What users need to test their own flows: virtual time, and checks that slow runs down. Import it in tests only; it loads asyncio."""

from __future__ import annotations

from taskrun.testing.manager import TaskManager as TaskManager
from taskrun.testing.virtual_time import VirtualTimeLoop as VirtualTimeLoop
from taskrun.testing.virtual_time import run_virtual as run_virtual
