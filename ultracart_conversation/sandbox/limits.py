"""Rate limits as UltraCart publishes them: leaky buckets per hour and per day, and a limit on concurrency."""

import math
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock
from .envelope import Refusal

HOUR = 3600
DAY = 86400


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests allowed per API key; None means no limit of that kind.

    The defaults of the first two are documented; that 1 is the usual concurrency is inferred.
    """

    per_hour: int | None = 1000
    per_day: int | None = 10_000
    concurrency: int | None = 1
    retry_after: Literal["seconds", "date"] | None = "seconds"
    """How `Retry-After` is written on a 429; None leaves it out."""


@dataclass(slots=True)
class LeakyBucket:
    """Holds `capacity` requests and leaks all of them in `window` seconds."""

    capacity: int
    window: int
    level: float = 0.0
    leaked_at: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more request fits; 0 when it fits now."""
        rate = self.capacity / self.window
        self.level = max(0.0, self.level - (now - self.leaked_at) * rate)
        self.leaked_at = now
        # The slack forgives rounding: a client that waits exactly as long as it was told must pass.
        return max(0.0, self.level + 1 - self.capacity - 1e-6) / rate

    def pour(self) -> None:
        self.level += 1


@dataclass(slots=True)
class Account:
    """What one API key has used."""

    buckets: list[LeakyBucket]
    in_flight: int = 0


@dataclass(slots=True)
class RateMeter:
    """Admits or refuses requests by one set of limits."""

    clock: Clock
    limits: RateLimits | None = None
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])

    def replace(self, limits: RateLimits | None) -> None:
        """Other limits from now on, with empty buckets."""
        self.limits = limits
        self.accounts = {}

    @contextmanager
    def admit(self, key: str) -> Generator[None]:
        """One request from `key` is in flight inside the block; Refusal 429 when it is over a limit."""
        if self.limits is None:
            yield
            return
        account = self.accounts.setdefault(key, Account(_buckets(self.limits)))
        self._check(account, self.limits)
        account.in_flight += 1
        try:
            yield
        finally:
            account.in_flight -= 1

    def exempt(self) -> AbstractContextManager[None]:
        """For requests that are not counted, as those to the file storage."""
        return nullcontext()

    def _check(self, account: Account, limits: RateLimits) -> None:
        if limits.concurrency is not None and account.in_flight >= limits.concurrency:
            raise self._refusal("too many concurrent requests.", 1, limits)
        now = self.clock.now()
        for bucket in account.buckets:
            if wait := bucket.wait(now):
                text = f"rate of {bucket.capacity} per {bucket.window} second(s) exceeded."
                raise self._refusal(text, wait, limits)
        for bucket in account.buckets:
            bucket.pour()

    def _refusal(self, text: str, wait: float, limits: RateLimits) -> Refusal:
        seconds = math.ceil(wait)
        if limits.retry_after is None:
            return Refusal(429, text)
        value = str(seconds) if limits.retry_after == "seconds" else self.clock.http_date(seconds)
        return Refusal(429, text, headers={"Retry-After": value})


def _buckets(limits: RateLimits) -> list[LeakyBucket]:
    sizes = ((limits.per_hour, HOUR), (limits.per_day, DAY))
    return [LeakyBucket(capacity, window) for capacity, window in sizes if capacity is not None]
