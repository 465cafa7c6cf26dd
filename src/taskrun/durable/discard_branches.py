"""Discard suspended branches that are not needed any more, because their join has ended or failed without them.

Rules: a discarded branch counts as cancelled. Its completed steps are compensated, and its wait points are removed, so
that the run does not wait for their inputs. If the whole container fails, its rollback compensates the branch instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from taskrun.core.journal import StepRecord
from taskrun.core.rollback import is_inside
from taskrun.core.states import StepState
from taskrun.core.timers import now
from taskrun.durable.compensation import compensate_all, shielded
from taskrun.durable.recorder import Recorder

if TYPE_CHECKING:
    from taskrun.core.frame import Frame


async def discard(frame: Frame, branches: Iterable[str]) -> None:
    """Discard suspended branches: compensate their completed steps and remove their wait points.

    ``frame`` is that of the container, ``branches`` are the paths of the branches. Raises RevertError if a compensation
    fails.
    """
    for branch in branches:
        drop_wait_points(frame, branch)
        discarded = [one for one in frame.compensations if is_inside(one.key, branch)]
        if discarded:
            frame.compensations[:] = [one for one in frame.compensations if not is_inside(one.key, branch)]
            await shielded(compensate_all(frame.run, discarded, asyncio.CancelledError(), f"{branch}:undo"))


def drop_wait_points(frame: Frame, path: str) -> None:
    """Remove the wait points of the step at ``path``, and of all steps inside it, from the run.

    The steps of these wait points are recorded as CANCELLED.
    """
    recorder = frame.run.journal
    if not isinstance(recorder, Recorder):  # only recorded runs are suspended
        return
    dropped = [point for point in recorder.wait_points if is_inside(point.path, path)]
    recorder.wait_points = [point for point in recorder.wait_points if point not in dropped]
    for point in dropped:
        recorder.note(StepRecord(point.path, "step", StepState.CANCELLED, ended=now()))
