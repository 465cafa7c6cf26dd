"""Observer that writes every event of a run as one line of JSON, for other programs.

    {"event": "StepFinished", "run_id": "…", "path": "main/a", "status": "SUCCEEDED", "seconds": 0.0021, …}

Rules: a value that JSON does not support is written as its ``str()``.
"""

from __future__ import annotations

import json
from typing import TextIO

from taskrun.core.events import Event, as_mapping


class JsonLines:
    """Observer that writes one line of JSON per event: ``TaskManager(observers=[JsonLines(sys.stdout)])``.

    Parameters: ``stream`` is the text stream to write to; it is flushed after each line.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Write one event as a line of JSON; the member ``event`` is the name of its class."""
        self._stream.write(json.dumps(as_mapping(event), ensure_ascii=False, default=str) + "\n")
        self._stream.flush()
