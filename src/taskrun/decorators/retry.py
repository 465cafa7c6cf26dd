"""<retry>: run a failed step again.

    <retry maxRetryCount="3" retryDelay="500ms" maxRetryDelay="10s" exponentialDelay="true" attemptTimeout="2s">
      <exception-filter>return isinstance(exception, ConnectionError)</exception-filter>
    </retry>
    <retry itemsExpr="['eu', 'us']" varName="region"/>

Attempts: at most ``maxRetryCount`` attempts follow the first one; below 0 there is no limit. With ``itemsExpr`` there
is one attempt for each value, and the variable ``varName`` has the value. An attempt that takes longer than
``attemptTimeout`` fails with StepTimeout. Scripts can read ``attempt`` (from 1) and ``history``, a list with the value
and the failure of each failed attempt. Before the next attempt, the steps that the failed attempt had completed are
compensated, and the variables of the step get the values that they had before the first attempt.

Delays: after attempt k the step waits ``retryDelay * 2^k``, or ``retryDelay * k`` with ``exponentialDelay="false"``.
The wait is at most ``maxRetryDelay``, or ``retryDelay`` if that is greater. It is multiplied by a random factor from
0.7 to 1.3, so that steps that failed together are not retried together.

Not retried: a cancellation, and a failure for which the filter is false. Without a filter these are not retried:
MemoryError, RecursionError, and an exception whose attribute ``biz_fatal`` is true. With ``revertAll="true"`` a failure
that is not retried rolls back the whole run, and no handler can catch it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple

from taskrun.core.completion import Completion
from taskrun.core.duration import ZERO, Millis
from taskrun.core.fields import Expr
from taskrun.core.frame import Frame
from taskrun.core.journal import StepRecord
from taskrun.core.script_views import ErrorBean
from taskrun.core.states import StepState
from taskrun.core.step import Decorator, Inner, Step, decorator
from taskrun.core.timers import exponential_delay, jittered_delay, linear_delay, now, run_with_timeout
from taskrun.durable.compensation import mark_handled, may_handle
from taskrun.errors import Diagnostic
from taskrun.script.script import Script
from taskrun.syntax.node import Node


class FailedAttempt(NamedTuple):
    """An attempt that failed and is followed by another one; ``delay`` is the wait between them in seconds."""

    failure: Exception
    delay: float


@decorator("retry", rank=40)
class Retry(Decorator):
    """Decorator for ``<retry>``: runs a failed step again."""

    node: Node
    max_retry_count: int = 0
    retry_delay: Millis = ZERO
    max_retry_delay: Millis = ZERO
    exponential_delay: bool = True
    attempt_timeout: Millis | None = None
    items: Expr | None = None
    var_name: str | None = None
    exception_filter: Script | None = None
    revert_all: bool = False

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step until an attempt succeeds, no attempt is left, or a failure must not be retried.

        In a resumed run, attempts that are recorded as failed are not repeated.
        """
        scope, rollback = frame.scope, frame.run.rollback
        before = dict(scope)
        history: list[dict[str, Any]] = []
        key = frame.part_key("attempt") if frame.run.journal.records else ""
        for attempt, value, last in self._attempts(frame):
            failed_attempt = self._recorded_attempt(frame, key, attempt)
            if failed_attempt is None:
                scope.update(attempt=attempt, history=list(history))
                if self.var_name:
                    scope[self.var_name] = value
                frame.attempt = attempt
                try:
                    return await self._attempt(frame, inner)
                except Exception as error:
                    if last or rollback.abort_error is not None or not self._may_retry(frame, error):
                        frame.attempt = 1  # the failure is that of the step, not of its last attempt
                        if self.revert_all:
                            rollback.abort_error = rollback.abort_error or error
                        raise
                    failed_attempt = await self._record_failure(frame, key, error)
            history.append({"value": value, "failure": ErrorBean(failed_attempt.failure)})
            scope.clear()
            scope.update(before)
            # a delay of 0 yields to the event loop too, so that endless attempts can be cancelled
            await asyncio.sleep(failed_attempt.delay)
        raise RuntimeError("a retry has at least one attempt")

    def _recorded_attempt(self, frame: Frame, key: str, attempt: int) -> FailedAttempt | None:
        """Return attempt number ``attempt`` if it is recorded as failed; None if it is not.

        The delay is what is left of the recorded wait.
        """
        journal = frame.run.journal
        record = journal.recorded(f"{key}[{attempt}]")
        if record is None:
            return None
        due: float = journal.value(record.outputs)["due"]
        return FailedAttempt(journal.failure(record.error), max(0.0, due - now()))

    async def _record_failure(self, frame: Frame, key: str, error: Exception) -> FailedAttempt:
        """Record and report that an attempt failed and another one follows; return it with the delay until then."""
        run, attempt = frame.run, frame.attempt
        if may_handle(run, error):
            mark_handled(run, frame.path)
        delay = self.delay(frame, attempt)
        text = f"{type(error).__name__}: {error}"
        if run.traced:
            from taskrun.core.events import StepRetried

            run.emit(StepRetried(run.run_id, frame.path, attempt, delay, text, frame.at))
        journal = run.journal
        if journal.records:
            outputs = journal.text({"due": now() + delay}, key)
            failed = journal.error_record(error)
            record = StepRecord(
                f"{key}[{attempt}]", "attempt", StepState.FAILED, attempt, outputs=outputs, error=failed, ended=now()
            )
            await journal.save(record)
        return FailedAttempt(error, delay)

    def _attempts(self, frame: Frame) -> Iterator[tuple[int, Any, bool]]:
        """Yield for each attempt its number, its value, and whether it is the last one.

        The value is that of ``itemsExpr``; without ``itemsExpr`` it is the number.
        """
        if self.items is None:
            number = 1
            while True:
                yield number, number, 0 <= self.max_retry_count < number
                number += 1
        items = self.items
        values = frame.remember("values", lambda: list(frame.eval(items) or ()), items.text)
        if not values:
            raise ValueError("itemsExpr of <retry> gave no values: there is nothing to attempt")
        for number, value in enumerate(values, 1):
            yield number, value, number == len(values)

    async def _attempt(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step once; raises StepTimeout if that takes longer than ``attemptTimeout``."""
        if self.attempt_timeout is None:
            return await inner(frame)
        return await run_with_timeout(self.attempt_timeout.seconds(frame), frame, inner, "attemptTimeout")

    def _may_retry(self, frame: Frame, error: Exception) -> bool:
        """Return whether another attempt may follow a failure.

        The filter decides; without a filter only MemoryError, RecursionError and ``biz_fatal`` exceptions are not
        retried.
        """
        if self.exception_filter is not None:
            return bool(frame.call(self.exception_filter, exception=error))
        return not (getattr(error, "biz_fatal", False) or isinstance(error, MemoryError | RecursionError))

    def delay(self, frame: Frame, attempt: int) -> float:
        """Return the seconds to wait after the failed attempt number ``attempt`` (from 1), with a random variation."""
        first = self.retry_delay.seconds(frame)
        if not first:
            return 0.0
        grow = exponential_delay if self.exponential_delay else linear_delay
        maximum = max(self.max_retry_delay.seconds(frame), first)
        return jittered_delay(grow(first, attempt, maximum), frame.run.services.random())

    def analyze(self, _step: Step) -> Iterator[Diagnostic]:
        """Yield diagnostics: ``varName`` without ``itemsExpr``; ``maxRetryCount`` beside ``itemsExpr``."""
        if self.items is None and self.var_name is not None:
            text = "varName needs itemsExpr, which is missing"
            yield self.node.problem("missing-attribute", text, attribute="varName")
        if self.items is not None and self.max_retry_count:
            text = "maxRetryCount beside itemsExpr: there are as many attempts as values"
            yield self.node.problem("doubled", text, attribute="maxRetryCount")

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that a retry sets: ``attempt``, ``history`` and ``varName``."""
        yield from ("attempt", "history")
        if self.var_name:
            yield self.var_name
