"""Which flows a run may come to: its own, the tasks that its steps call, and the libraries that they take steps from.

any(flow.suspends for flow in reachable_flows(flow, host))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from taskrun.compile.flow_reference import FlowReference
from taskrun.core.search_path import NotFoundError
from taskrun.core.step import walk
from taskrun.errors import FlowError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Host


def reachable_flows(flow: Flow, host: Host) -> Iterator[Flow]:
    """Yield the flow and every one that its steps may call, each once; what cannot be loaded is left out."""
    seen = {flow.path}
    waiting = [flow]
    while waiting:
        yield (found := waiting.pop())
        for step in walk(found.model):
            reference = getattr(step, "reference", None)
            if not isinstance(reference, FlowReference):
                continue
            try:
                called = reference.load(host)
            except (FlowError, NotFoundError):  # the step says it when the run comes to it
                continue
            if called.path not in seen:
                seen.add(called.path)
                waiting.append(called)
