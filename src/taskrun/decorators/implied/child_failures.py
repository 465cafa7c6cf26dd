"""Handled failures of children: derived from the order of events, so that authors of containers need not report them.

Rules: a container has handled the failure of a child when it completes, or when it starts another child after that
failure and does not itself fail with it. In a recorded run a handled failure is marked, so that a resume replays it
instead of running the step again. After a failure that rolls back the whole run, no other child starts and the
container fails. Containers that mark handled failures themselves (``Traits.marks_handled``), and runs that are neither
recorded nor have compensations, are not decorated.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.rollback import ChildError
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.compensation import mark_handled, may_handle


@decorator("containerFailures", rank=13)
class ContainerFailures(ImpliedDecorator):
    """Implied decorator of a container: marks the failures of its children that it has handled, when it ends."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("recorded", "compensates"))

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> ContainerFailures | None:
        """Return the decorator for a container that does not mark handled failures itself."""
        return cls() if step.traits.contains_steps(step) and not step.traits.marks_handled else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the container, then mark the failures that it has handled."""
        run, key = frame.run, frame.path
        pending = run.rollback.pending
        try:
            done = await inner(frame)
        except Exception as error:
            for failure in pending.pop(key, ()):
                if failure.followed and not is_part(failure.error, error) and may_handle(run, error):
                    mark_handled(run, failure.path, frame.step.tag)
            raise
        except BaseException:
            pending.pop(key, None)
            raise
        failures = pending.pop(key, ())
        if run.rollback.abort_error is not None:
            raise run.rollback.abort_error
        if not done.suspended:
            for failure in failures:
                mark_handled(run, failure.path, frame.step.tag)
        return done


@decorator("childFailure", rank=150)
class ChildFailure(ImpliedDecorator):
    """Implied decorator of a child: stores its failure, which ContainerFailures reads when the container ends."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("in_foreign_container",))

    name: str

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> ChildFailure | None:
        """Return the decorator for a child of a container that does not mark handled failures itself."""
        tracked = settings.recorded or settings.compensates
        return cls(name=step.name) if tracked and settings.in_foreign_container else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step; mark earlier failures of its siblings as followed by this step, and store its own failure."""
        run = frame.run
        rollback = run.rollback
        if rollback.abort_error is not None:
            raise rollback.abort_error
        key = frame.path
        if not frame.step.traits.concurrent_children:
            for failure in rollback.pending.get(key, ()):
                failure.followed = True
                rollback.forget(failure.path)
        try:
            return await inner(frame)
        except Exception as error:
            rollback.pending.setdefault(key, []).append(ChildError(frame.path_of(self.name), error))
            raise


def is_part(error: Exception, of: BaseException) -> bool:
    """Return whether ``error`` is the exception ``of`` itself, or a member of the exception group ``of``."""
    return error is of or (isinstance(of, BaseExceptionGroup) and any(is_part(error, item) for item in of.exceptions))
