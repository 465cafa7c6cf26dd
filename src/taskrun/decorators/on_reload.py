"""<onReload>: run a script when a resumed run re-enters a step that had begun.

    <onReload>logInfo("resuming with {}", order)</onReload>

Rules: a step that has ended is replayed and not entered again. So the script runs for a step that had begun, but not
ended, when the run was suspended or its process died; often this is a container. The script sees the inputs that the
step had when it first began. It runs before ``onEnter``; the ``validator`` does not run again.
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
