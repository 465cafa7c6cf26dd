"""The call graph: which flows a run of a flow can reach by calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from taskrun.core.step import walk
from taskrun.errors import FlowError
from taskrun.model.flow_reference import FlowReference
from taskrun.syntax.search_path import NotFoundError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services


def reachable_flows(flow: Flow, services: Services) -> Iterator[Flow]:
    """Yield the flow itself, then each task and library that its steps, or those of called flows, may call, each once.

    A file that cannot be loaded is left out; the call then fails when a run reaches it.
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
