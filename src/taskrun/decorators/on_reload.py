"""<onReload>: a script that runs when a resumed run comes back to a step that had begun.

    <onReload>logInfo("going on with {}", order)</onReload>

Rules: it runs instead of the ``validator`` and before ``onEnter``, with the inputs that the step had when it was begun. A step that
was done is not entered again, so it is for containers and for steps that were interrupted.
"""

from __future__ import annotations

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Inner, decorator
from taskrun.decorators.entry_script import Entry


@decorator("onReload", rank=92)
class OnReload(Entry):
    """A script on coming back."""

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script when the step had begun before, then the step."""
        if frame.re_entered:
            frame.eval(self.body)
        return await inner(frame)
