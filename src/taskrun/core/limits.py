"""Limiters: what ``<throttle>`` and ``<rate-limit>`` count with.

A throttle uses a counting semaphore, which limits how many steps run at once. A rate limit uses a token bucket, which
limits how many steps start per second. Semaphores and buckets have names (parameter ``key``): steps that give the same
name share one.

Rules: the first user of a name determines the limit, as long as the name is in use. Waiters are served in the order in
which they came. Unused semaphores are removed at once, unused buckets when there are many. Times are seconds of the
event loop's clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from taskrun.errors import RateLimitTimeout, ThrottleTimeout

MAX_BUCKETS = 10_000
"""If there are this many token buckets, the full ones are removed before another is created."""
ALMOST_ONE = 1 - 1e-6
"""The fraction of a token that counts as a whole one, because times are not exact."""


@dataclass(slots=True, eq=False)
class Limiters:
    """The semaphores and token buckets by name: those of one run, or the global ones of a TaskManager."""

    _permits: dict[str, Permits] = field(default_factory=dict, init=False)
    _buckets: dict[str, Bucket] = field(default_factory=dict, init=False)

    async def acquire(self, key: str, limit: int, max_wait: float) -> Permits:
        """Wait for a permit of the semaphore named ``key``, take it, and return the semaphore, which ``release`` needs.

        ``limit`` is the number of permits; it is used only if the semaphore does not exist yet. Raises ThrottleTimeout
        if no permit becomes free within ``max_wait`` seconds.
        """
        found = self._permits.get(key)
        if found is None:
            found = self._permits[key] = Permits(limit)
        try:
            await found.acquire(key, max_wait)
        finally:
            self._remove_unused(key, found)
        return found

    def release(self, key: str, permits: Permits) -> None:
        """Give back a permit of the semaphore that ``acquire`` returned."""
        permits.release()
        self._remove_unused(key, permits)

    def _remove_unused(self, key: str, permits: Permits) -> None:
        """Remove the semaphore named ``key`` if nobody holds or awaits one of its permits."""
        if permits.unused and self._permits.get(key) is permits:
            del self._permits[key]

    async def take_token(self, key: str, rate: float, max_wait: float) -> None:
        """Take a token of the bucket named ``key``, waiting until there is one; tokens are not given back.

        ``rate`` is the number of new tokens per second; it is used only if the bucket does not exist yet. Raises
        RateLimitTimeout immediately, without waiting, if the wait would be longer than ``max_wait`` seconds.
        """
        now = asyncio.get_running_loop().time()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets = {name: other for name, other in self._buckets.items() if not other.full(now)}
            bucket = self._buckets[key] = Bucket(rate, now)
        await bucket.take(key, max_wait)

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return the state of each semaphore and bucket by name, for people who observe the program.

        A semaphore has ``limit``, ``held`` (permits) and ``waiting`` (users); a bucket has ``rate``.
        """
        return {
            **{key: {"limit": p.limit, "held": p.held, "waiting": len(p.waiting)} for key, p in self._permits.items()},
            **{key: {"rate": bucket.rate} for key, bucket in self._buckets.items()},
        }


class Permits:
    """Counting semaphore: at most ``limit`` permits are held at once.

    Waiters are served in the order of their coming.
    """

    __slots__ = ("held", "limit", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self.held: int = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    @property
    def unused(self) -> bool:
        """Whether nobody holds a permit or waits for one."""
        return not self.held and not self.waiting

    async def acquire(self, key: str, max_wait: float) -> None:
        """Wait for a permit and take it.

        Raises ThrottleTimeout after ``max_wait`` seconds; ``key`` is the name of the semaphore for the message.
        """
        if self.held < self.limit and not self.waiting:
            self.held += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        try:
            async with asyncio.timeout(max_wait):
                await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                self.release()  # the permit was assigned at the same moment
            else:
                _remove_waiter(self.waiting, waiter)
            if isinstance(error, TimeoutError):
                message = (
                    f"no permit of '{key}' became free within {max_wait * 1000:g} ms: its limit is {self.limit}; "
                    "increase maxWait or maxConcurrency"
                )
                raise ThrottleTimeout(message) from None
            raise

    def release(self) -> None:
        """Give back a permit: the first waiter gets it, or it becomes free if nobody waits."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self.held -= 1


class Bucket:
    """Token bucket: ``rate`` tokens are added per second, until it contains ``rate`` tokens (at least one).

    Waiters get tokens in the order in which they came; one timer serves all of them. If a waiter is cancelled, the next
    one gets its token.
    """

    __slots__ = ("_at", "_size", "_timer", "_tokens", "_waiting", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate: float = rate
        self._size = max(1.0, rate)
        self._tokens = self._size
        self._at = now
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    def full(self, now: float) -> bool:
        """Return whether the bucket is full and has no waiters.

        It may be removed then, because a new bucket is full too.
        """
        return not self._waiting and self._tokens + (now - self._at) * self.rate >= self._size

    async def take(self, key: str, max_wait: float) -> None:
        """Take a token, waiting until there is one.

        Raises RateLimitTimeout immediately if the wait would exceed ``max_wait`` seconds; ``key`` is the name for the
        message.
        """
        loop = asyncio.get_running_loop()
        self._refill(loop.time())
        if self._tokens > ALMOST_ONE and not self._waiting:
            self._tokens -= 1
            return
        wait = (len(self._waiting) + 1 - self._tokens) / self.rate
        if wait > max_wait:
            message = (
                f"'{key}' is limited to {self.rate:g} per second: the wait would be {wait * 1000:.0f} ms, "
                f"more than maxWait={max_wait * 1000:g} ms; increase maxWait or requestPerSecond"
            )
            raise RateLimitTimeout(message)
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        self._set_timer(loop)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._tokens += 1  # the token was assigned at the same moment
            _remove_waiter(self._waiting, waiter)
            self._serve()
            raise

    def _refill(self, now: float) -> None:
        """Add the tokens for the time since the last call; ``now`` is the present time of the event loop's clock."""
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now

    def _serve(self) -> None:
        """Give the available tokens to the first waiters, and set the timer for the next token."""
        loop = asyncio.get_running_loop()
        self._refill(loop.time())
        while self._waiting and self._tokens > ALMOST_ONE:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._tokens -= 1
                waiter.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._set_timer(loop)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the timer that serves the waiters when the next token exists; do nothing if it is set or nobody waits."""
        if self._timer is None and self._waiting:
            self._timer = loop.call_later((1 - self._tokens) / self.rate, self._serve)


def _remove_waiter(waiting: deque[asyncio.Future[None]], waiter: asyncio.Future[None]) -> None:
    """Remove a waiter from the queue of those who wait, if it is still there."""
    if waiter in waiting:
        waiting.remove(waiter)
