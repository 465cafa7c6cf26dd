"""Every event of a run as a line of JSON, written as it happens.

    {"event": "StepFinished", "run_id": "…", "path": "main/a", "status": "SUCCEEDED", "seconds": 0.0021, …}

Rules: a value that JSON does not know is shown as text.
"""

from __future__ import annotations

import json
from typing import TextIO

from taskrun.core.events import Event, as_mapping


class JsonLines:
    """An observer that writes the lines to a text stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Write the event."""
        self._stream.write(json.dumps(as_mapping(event), ensure_ascii=False, default=str) + "\n")
        self._stream.flush()
