"""FlowSource: compiles the flow with which a recorded run is resumed.

Rules: a run is resumed with its original flow, unless the user gives another one. If the file of the flow was changed
or deleted, the recorded text is compiled.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.durable.records import RunRecord
from taskrun.errors import FlowError, StoreError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services

FlowPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class FlowSource:
    """Compiles the flows of recorded runs.

    ``load`` compiles a file; ``compile_text`` compiles a recorded text, given the path of its file and the text;
    ``services`` returns the services for the runs of a flow.
    """

    load: Callable[[FlowPath], Flow]
    compile_text: Callable[[str, str], Flow]
    services: Callable[[Flow], Services]

    def flow_of(self, record: RunRecord, file: FlowPath | None) -> tuple[Flow, bool]:
        """Return the flow with which to resume a run, and whether it differs from the original flow of the run."""
        if file is not None:
            flow = self.load(file)
            return flow, flow.text != record.text
        try:
            if Path(record.path).is_file() and (flow := self.load(record.path)).text == record.text:
                return flow, False
        except FlowError:
            pass  # the file has errors now: use the recorded text
        try:
            return self.compile_text(record.path, record.text), False
        except FlowError as error:
            text = f"the flow of run {record.run_id} cannot be compiled here: {error}"
            raise StoreError(text, "resume it with --flow FILE") from error
