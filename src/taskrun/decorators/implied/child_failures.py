"""Detect which failures of the steps inside a container it has handled, without a call in the code of the container.

Why: a container may catch the exception of a step inside it (a child) and continue, as ``<selector>`` does. In a
recorded run such a failure must be marked as handled, so that a resume replays it instead of running the child again.

Rules: a container has handled the failure of a child if the container completes, or if it starts another child
afterwards and then fails with a different error. If a failure rolls back the whole run, no other child starts and the
container fails. The two decorators are not used in a container that marks handled failures itself
(``Traits.marks_handled``), nor in a run that is not recorded and has no compensations.
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
    """Implied decorator of a container: when it ends, mark the failures of its children that it has handled."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("recorded", "compensates"))

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> ContainerFailures | None:
        """Return the decorator for a container that does not mark handled failures itself, None for any other step."""
        return cls() if step.traits.contains_steps(step) and not step.traits.marks_handled else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the container, then mark the failures of its children that it has handled.

        If a failure rolls back the whole run, that failure is raised, although the container has caught it.
        """
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
    """Implied decorator of a child of a container: stores the failure of the child until the container ends.

    ContainerFailures then decides whether the container has handled it.
    """

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("in_foreign_container",))

    name: str

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> ChildFailure:
        """Return the decorator for a child of a container that does not mark handled failures itself."""
        return cls(name=step.name)

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the child and store its failure, if it fails.

        Since the container has started this child, earlier failures of its siblings are marked as followed by another
        child.
        """
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
