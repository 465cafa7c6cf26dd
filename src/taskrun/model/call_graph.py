"""The call graph: which flows a run of a flow can reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from taskrun.core.search_path import NotFoundError
from taskrun.core.step import walk
from taskrun.errors import FlowError
from taskrun.model.flow_reference import FlowReference

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services


def reachable_flows(flow: Flow, services: Services) -> Iterator[Flow]:
    """Yield the flow and each task and library that its steps may call, each once.

    Files that cannot be loaded are left out: the call fails when the run reaches it.
    """
    seen = {flow.path}
    waiting = [flow]
    while waiting:
        yield (found := waiting.pop())
        for step in walk(found.model):
            reference = getattr(step, "reference", None)
            if not isinstance(reference, FlowReference):
                continue
            try:
                called = reference.load(services)
            except (FlowError, NotFoundError):
                continue
            if called.path not in seen:
                seen.add(called.path)
                waiting.append(called)
