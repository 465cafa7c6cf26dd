"""What ends a run at once and is held by nothing: neither catch nor retry, and no script of the flow runs any more.

Rules: it is no ``Exception``, so that no handler of failures takes it for one of the flow's. It carries the error that
the caller of the run is told.
"""

from __future__ import annotations

from taskrun.errors import TaskrunError


class RunAborted(BaseException):
    """The run cannot go on, and nothing may be done in its name: ``error`` says why.

    Raised when its records cannot be written (the disk is full, another process has taken the run over), because what
    it did from then on would be done a second time by whoever resumes it.
    """

    def __init__(self, error: TaskrunError) -> None:
        self.error = error
        super().__init__(str(error))
