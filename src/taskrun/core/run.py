"""A run: one execution of a flow, and everything about it that changes.

Rules: the program is shared, a run is not. A called task is a run of its own below its caller's: it has its own task
scope and inputs and shares the caller's services, clock, records and cancellation. What concerns the run as a whole (its
state, what it waits for, how it ends) is kept by the run at the top.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from taskrun.core.beans import RunBeans
from taskrun.core.events import Event
from taskrun.core.limits import Limiters
from taskrun.core.scope import Scope
from taskrun.core.script_views import TaskView
from taskrun.core.states import RunState
from taskrun.errors import RunError

if TYPE_CHECKING:
    from taskrun.core.flow import Flow
    from taskrun.core.services import Services
    from taskrun.durable.compensation import Compensation
    from taskrun.durable.recorder import Recorder
    from taskrun.durable.records import RunRecord
    from taskrun.durable.suspension import WaitPoint

MAX_CALLS = 32
"""How deep tasks may call tasks."""


class Run:
    """One execution of a flow. ``scope`` is the task's scope, ``base`` below it has what the engine sets."""

    def __init__(
        self,
        services: Services,
        flow: Flow,
        *,
        run_id: str | None = None,
        flags: frozenset[str] = frozenset(),
        parent: Run | None = None,
        called_from: str | None = None,
        context: Mapping[str, Any] | None = None,
        recorder: Recorder | None = None,
        answers: Mapping[str, Any] | None = None,
    ) -> None:
        self.services = services
        self.flow = flow
        if run_id is not None and not isinstance(run_id, str):
            raise TypeError(f"the id of a run is text, not {run_id!r}")
        self.run_id = run_id or os.urandom(16).hex()
        self.flags = flags
        self.parent = parent
        self.called_from = called_from
        self.depth: int = parent.depth + 1 if parent else 0
        self.top: Run = parent.top if parent else self
        """The run that was started: this one, or the outermost of those that called it."""
        self.observers = services.observers
        self.traced = bool(services.observers)
        self.limiters = Limiters()
        self.cancelled: str | None = None
        self.task: asyncio.Task[Any] | None = parent.task if parent else None
        self.recorder: Recorder | None = parent.recorder if parent else recorder
        self.state = RunState.RUNNING
        self.undo: list[Compensation] = parent.undo if parent else []
        self.completions = 0
        self.undone: set[str] = set()
        """The paths of what was undone because of a failure that nobody has held (yet)."""
        self.doomed: Exception | None = None
        self.suspending = False
        self.seen_requests: set[str] = set()
        """What was asked of the run and is known to it; a cancellation that the flow has held is over."""
        self.reverts = True
        self.answers = answers
        self.before: RunRecord | None = None
        """How the run stood when it was resumed here."""
        self.waiting: list[WaitPoint] = []
        self._beans: RunBeans | None = None
        self.base = Scope(None, inject=self.inject, taskRt=TaskView(self), svcCtx=context, RESULT=None)
        self.scope = Scope(self.base)

    @property
    def beans(self) -> RunBeans:
        """The beans of this run: those of the task's ``<beans>``, then the TaskManager's."""
        if self._beans is None:
            outer: Any = self.services.beans
            if self.flow.header.use_parent_bean_container and self.parent is not None:
                outer = self.parent.beans
            self._beans = RunBeans(self.flow.header.definitions, outer, self.services.imports, self.scope)
        return self._beans

    def inject(self, name: str) -> Any:
        """Return a bean by name; what scripts call ``inject("name")``."""
        return self.beans.get(name)

    def emit(self, event: Event) -> None:
        """Hand an event to every observer; one that raises is logged and not asked again in this run."""
        self.services.log(event)
        top = self.top
        for observer in top.observers:
            try:
                observer(event)
            except Exception:
                logging.getLogger("taskrun").exception("%s: an observer failed and is left out now", self.run_id)
                top.observers = tuple(other for other in top.observers if other is not observer)

    def report(self, text: str) -> None:
        """Log something that went wrong and that no step can be told of."""
        logging.getLogger("taskrun").warning("%s: %s", self.run_id, text)

    def cancel(self, reason: str = "kill") -> None:
        """Ask the run to stop now: its running steps are cancelled. Call it in the run's own event loop."""
        top = self.top
        if top.cancelled is None and top.task is not None and not top.task.done():
            top.cancelled = reason
            if top.recorder is not None:
                kind = "cancel" if top.reverts else "cancel-only"
                top.seen_requests.add(kind)
                top.recorder.ask(kind)
            top.task.cancel()

    def cancel_from_elsewhere(self, reason: str, *, revert: bool) -> bool:
        """Cancel the run from any thread; returns whether it was not over."""
        task = self.task
        if task is None:
            return False
        self.reverts = revert
        try:
            task.get_loop().call_soon_threadsafe(self.cancel, reason)
        except RuntimeError:  # the loop was closed meanwhile
            return False
        return True

    def uncancel(self) -> None:
        """Forget the cancellation that the present task has caught; when it was that of the run, that too is over."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        task.uncancel()
        if task is self.top.task:
            self.top.cancelled = None

    def child_run(self, path: str, called_from: str) -> Run:
        """Return a run of the task at ``path``, called by this one; raises FlowError, or RunError for calls too deep."""
        if self.depth >= MAX_CALLS:
            chain = " → ".join(self.callers()[-4:])
            raise RunError(f"tasks call tasks more than {MAX_CALLS} deep: … → {chain} → {path}")
        flow = self.services.load(path)
        if self.recorder is not None:
            flow = self.recorder.flow_as_recorded(path, flow, self.services)
        return Run(self.services, flow, parent=self, called_from=called_from)

    @property
    def lost(self) -> bool:
        """Whether the run must do nothing more: its records cannot be written, or it cannot go on as it was recorded."""
        return self.recorder is not None and self.recorder.problem is not None

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked the run, or one that called it, to stop."""
        return self.cancelled is not None or (self.parent is not None and self.parent.is_cancelled)

    def callers(self) -> list[str]:
        """Return the files of this run's flow and of those that called it, outermost first."""
        chain = [self.flow.path]
        run = self.parent
        while run is not None:
            chain.append(run.flow.path)
            run = run.parent
        return chain[::-1]

    def close(self) -> list[Exception]:
        """End what belongs to the run and return what failed in doing so."""
        if self._beans is None:
            return []
        return list(self._beans.close())
