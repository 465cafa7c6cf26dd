"""Observer that writes every event of a run as one line of JSON.

    {"event": "StepFinished", "run_id": "…", "path": "main/a", "status": "SUCCEEDED", "seconds": 0.0021, …}

Rules: a value that JSON does not support is written as text.
"""

from __future__ import annotations

import json
from typing import TextIO

from taskrun.core.events import Event, as_mapping


class JsonLines:
    """Observer that writes one line of JSON per event to a text stream.

    Parameters: ``stream`` is the text stream; it is flushed after each line.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Write an event as a line of JSON."""
        self._stream.write(json.dumps(as_mapping(event), ensure_ascii=False, default=str) + "\n")
        self._stream.flush()
