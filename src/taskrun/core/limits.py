"""Counting semaphores and token buckets, found by key.

Rules: the settings of a key are fixed by who uses it first, for as long as anybody holds or awaits it. Waiters are
served in the order in which they came. A key that nobody uses takes no memory. Times are seconds of the loop's clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from taskrun.errors import RateLimitTimeout, ThrottleTimeout

MAX_KEPT = 10_000
ALMOST_ONE = 1 - 1e-6
"""Enough of a token: clocks are not exact."""


class Limiters:
    """The permits and buckets of one owner: a run, or the TaskManager for those that are global."""

    def __init__(self) -> None:
        self._permits: dict[Any, Permits] = {}
        self._buckets: dict[Any, Bucket] = {}

    async def acquire(self, key: str, limit: int, max_wait: float) -> Permits:
        """Return the permits of the key with one of them taken; raises ThrottleTimeout after ``max_wait`` seconds."""
        found = self._permits.get(key)
        if found is None:
            found = self._permits[key] = Permits(limit)
        try:
            await found.acquire(key, max_wait)
        finally:
            self._forget(key, found)
        return found

    def release(self, key: str, permits: Permits) -> None:
        """Give a permit back."""
        permits.release()
        self._forget(key, permits)

    def _forget(self, key: str, permits: Permits) -> None:
        if permits.unused and self._permits.get(key) is permits:
            del self._permits[key]

    async def pass_through(self, key: str, rate: float, max_wait: float) -> None:
        """Wait for a token of the key's bucket; raises RateLimitTimeout at once when that takes over ``max_wait``."""
        now = asyncio.get_running_loop().time()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MAX_KEPT:
                self._buckets = {name: kept for name, kept in self._buckets.items() if not kept.full(now)}
            bucket = self._buckets[key] = Bucket(rate, now)
        await bucket.take(key, max_wait)

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return per key how many permits there are, are held and are awaited, and the rate of each bucket."""
        return {
            **{key: {"limit": p.limit, "held": p.held, "waiting": len(p.waiting)} for key, p in self._permits.items()},
            **{key: {"rate": bucket.rate} for key, bucket in self._buckets.items()},
        }


class Permits:
    """A counting semaphore whose waiters are served in order."""

    __slots__ = ("held", "limit", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self.held: int = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    @property
    def unused(self) -> bool:
        """Whether nobody holds or awaits a permit."""
        return not self.held and not self.waiting

    async def acquire(self, key: str, max_wait: float) -> None:
        """Take a permit, waiting for one at most ``max_wait`` seconds."""
        if self.held < self.limit and not self.waiting:
            self.held += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            async with asyncio.timeout(max_wait):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.release()  # it was this one's turn at the very moment
            else:
                _forget_turn(self.waiting, turn)
            if isinstance(error, TimeoutError):
                message = f"no permit of '{key}' within {max_wait * 1000:g} ms: {self.limit} at once are allowed"
                raise ThrottleTimeout(message) from None
            raise

    def release(self) -> None:
        """Hand the permit to who waits longest, or put it back."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.held -= 1


class Bucket:
    """A token bucket that holds a second's worth of tokens (at least one) and refills at ``rate`` per second.

    Those who wait are served in order by one timer; who is cancelled leaves the token to those behind.
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
        """Whether the bucket is as good as new."""
        return not self._waiting and self._tokens + (now - self._at) * self.rate >= self._size

    async def take(self, key: str, max_wait: float) -> None:
        """Take a token, which may be one that is still to come: then wait for it."""
        loop = asyncio.get_running_loop()
        self._refill(loop.time())
        if self._tokens > ALMOST_ONE and not self._waiting:
            self._tokens -= 1
            return
        wait = (len(self._waiting) + 1 - self._tokens) / self.rate
        if wait > max_wait:
            message = (
                f"'{key}' lets {self.rate:g} a second through: the wait would be {wait * 1000:.0f} ms, "
                f"more than {max_wait * 1000:g} ms"
            )
            raise RateLimitTimeout(message)
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        self._set_timer(loop)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._tokens += 1  # it had come at the very moment
            _forget_turn(self._waiting, turn)
            self._serve()
            raise

    def _refill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._refill(loop.time())
        while self._waiting and self._tokens > ALMOST_ONE:
            turn = self._waiting.popleft()
            if not turn.done():
                self._tokens -= 1
                turn.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._set_timer(loop)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None and self._waiting:
            self._timer = loop.call_later((1 - self._tokens) / self.rate, self._serve)


def _forget_turn(waiting: deque[asyncio.Future[None]], turn: asyncio.Future[None]) -> None:
    if turn in waiting:  # whoever serves the others may have taken it out already
        waiting.remove(turn)
