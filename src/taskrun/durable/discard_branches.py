"""Suspended branches that nobody waits for any more: the join was decided without them, or has failed.

Rules: such a branch counts as cancelled. What it had done is undone, and the run does not wait there any more. Where the
container fails, its undo list has what the branch did already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from taskrun.core.states import StepState
from taskrun.durable.compensation import compensate_all, is_inside, shielded
from taskrun.durable.recorder import now
from taskrun.durable.records import StepRecord

if TYPE_CHECKING:
    from taskrun.core.frame import Frame


async def abandon(frame: Frame, branches: Iterable[str]) -> None:
    """Compensation what the suspended branches at these paths have done; raises RevertError."""
    for branch in branches:
        forget(frame, branch)
        undos = [one for one in frame.undo if is_inside(one.key, branch)]
        if undos:
            frame.undo[:] = [one for one in frame.undo if not is_inside(one.key, branch)]
            await shielded(compensate_all(frame.run, undos, asyncio.CancelledError(), f"{branch}:undo"))


def forget(frame: Frame, path: str) -> None:
    """Let the run no longer wait for what is asked inside the step at ``path``."""
    top, recorder = frame.run.top, frame.run.recorder
    gone = [place for place in top.waiting if is_inside(place.path, path)]
    if gone and recorder is not None:  # only recorded runs are suspended
        top.waiting = [place for place in top.waiting if place not in gone]
        for place in gone:
            recorder.note(StepRecord(place.path, "step", StepState.CANCELLED, ended=now()))
