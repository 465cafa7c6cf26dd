"""<onReload>: run a script when a resumed run re-enters a step that had begun.

    <onReload>logInfo("resuming with {}", order)</onReload>

Rules: the script sees the inputs that the step had when it first began. It runs before ``onEnter``; the ``validator``
does not run again. A step that has ended is replayed and not entered again. So the script runs for containers in which
the run was suspended, and for steps in which it was interrupted.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Inner, decorator
from taskrun.decorators.entry_script import EntryScript


@decorator("onReload", rank=92)
class OnReload(EntryScript):
    """Decorator for ``<onReload>``: runs a script when a resumed run re-enters the step."""

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script if the step had begun in an earlier execution of the run; then run the step in any case."""
        if frame.re_entered:
            frame.eval(self.body)
        return await inner(frame)
