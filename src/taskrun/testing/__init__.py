"""What users need to test their own flows: virtual time. Import it in tests only; it loads asyncio."""

from __future__ import annotations

from taskrun.testing.virtual_time import VirtualTimeLoop as VirtualTimeLoop
from taskrun.testing.virtual_time import run_virtual as run_virtual
