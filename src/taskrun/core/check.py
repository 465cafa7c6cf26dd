"""Check what a flow names outside itself, before it runs: beans, functions, other files.

Rules: every step and decorator says itself what it needs (``check``). The files that a flow calls are checked too, each
once, so that tasks that call each other are no trouble here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from taskrun.core.flow import Flow
from taskrun.core.host import Host
from taskrun.core.step import walk
from taskrun.errors import Diagnostic


def check_flow(flow: Flow, host: Host) -> list[Diagnostic]:
    """Return what is wrong with what the flow, and each flow that it calls, names outside itself."""
    seen: set[str] = set()
    found: list[Diagnostic] = []
    waiting = [flow]
    while waiting:
        current = waiting.pop()
        if current.path in seen:
            continue
        seen.add(current.path)
        found.extend(_problems(current, replace(host, flow=current, called=waiting.append)))
    return list(dict.fromkeys(found))


def _problems(flow: Flow, host: Host) -> Iterator[Diagnostic]:
    for step in walk(flow.model):
        yield from step.check(host)
        for decorator in step.decorators:
            for part in decorator.parts(step):
                yield from part.check(host, step)
