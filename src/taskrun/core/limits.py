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
        self.limit = limit
        self.held = 0
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
                self.waiting.remove(turn)
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
    """A token bucket that holds a second's worth of tokens (at least one) and refills at ``rate`` per second."""

    __slots__ = ("_at", "_size", "_tokens", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._size = max(1.0, rate)
        self._tokens = self._size
        self._at = now

    def full(self, now: float) -> bool:
        """Whether the bucket is as good as new."""
        return self._tokens + (now - self._at) * self.rate >= self._size

    async def take(self, key: str, max_wait: float) -> None:
        """Take a token, which may be one that is still to come: then wait for it."""
        now = asyncio.get_running_loop().time()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self.rate) - 1
        self._at = now
        if self._tokens >= 0:
            return
        wait = -self._tokens / self.rate
        if wait > max_wait:
            self._tokens += 1
            message = (
                f"'{key}' lets {self.rate:g} a second through: the wait would be {wait * 1000:.0f} ms, "
                f"more than {max_wait * 1000:g} ms"
            )
            raise RateLimitTimeout(message)
        try:
            await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self._tokens += 1
            raise
