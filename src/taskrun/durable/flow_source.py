"""FlowSource: compiles the flow with which a recorded run is resumed.

Rules: a run is resumed with the flow that it was started with, unless the user names another file. If the file of its
flow was changed or deleted since, the text of the flow in the run's record is compiled.
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
    """Compiles the flows of recorded runs with functions of the TaskManager.

    ``load`` compiles a file. ``compile_text`` compiles the recorded text of a flow; its arguments are the file of the
    flow and the text. ``services`` returns the services with which runs of a flow are executed.
    """

    load: Callable[[FlowPath], Flow]
    compile_text: Callable[[str, str], Flow]
    services: Callable[[Flow], Services]

    def flow_of(self, record: RunRecord, file: FlowPath | None) -> tuple[Flow, bool]:
        """Return the flow with which to resume a run, and whether its text differs from the recorded one.

        ``file`` is another flow that the user wants to continue with; None means the flow of the run itself. Raises
        FlowError if ``file`` is wrong, StoreError if the recorded text cannot be compiled.
        """
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
