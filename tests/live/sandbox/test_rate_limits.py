"""Leaky buckets per hour and day, and concurrency."""

import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from tests.live.sandbox.strangers import Rest, RestAs
from ultracart_conversation.sandbox import Clock, Fault, RateLimits, Sandbox


def codes(rest: Rest, count: int) -> list[int]:
    return [rest.http.get("/agent/keepalive").status_code for _ in range(count)]


def test_the_hourly_bucket_leaks(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.limits = RateLimits(per_hour=3)
    assert codes(rest, 4) == [204, 204, 204, 429]
    clock.advance(1199)
    assert codes(rest, 1) == [429]
    clock.advance(1)
    assert codes(rest, 2) == [204, 429]
    clock.advance(7200)
    assert codes(rest, 4) == [204, 204, 204, 429]


def test_the_daily_bucket_holds_beside_it(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.limits = RateLimits(per_hour=3, per_day=4)
    assert codes(rest, 3) == [204] * 3
    clock.advance(3600)
    assert codes(rest, 2) == [204, 429]


def test_a_429_says_how_long(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.limits = RateLimits(per_hour=1000)
    codes(rest, 1000)
    response = rest.http.get("/agent/keepalive")
    assert response.status_code == 429
    assert response.json()["error"]["user_message"] == "rate of 1000 per 3600 second(s) exceeded."
    assert response.headers["UC-REST-ERROR-MERCHANT-ID"] == "DEMO"
    assert response.headers["Retry-After"] == "4"
    clock.advance(4)
    assert codes(rest, 1) == [204]


def test_retry_after_may_be_a_date_or_absent(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.limits = RateLimits(per_hour=1, retry_after="date")
    codes(rest, 1)
    date = rest.http.get("/agent/keepalive").headers["Retry-After"]
    assert parsedate_to_datetime(date).timestamp() == clock.now() + 3600
    sandbox.limits = RateLimits(per_hour=1, retry_after=None)
    codes(rest, 1)
    assert "Retry-After" not in rest.http.get("/agent/keepalive").headers


def test_concurrent_requests_are_refused(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.limits = RateLimits(concurrency=1)
    sandbox.faults.add(Fault(kind="stall", operation="get_conversations"))
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(rest.http.get, "/conversations", timeout=0.5)
        while not sandbox.requests:
            time.sleep(0.001)
        assert codes(rest, 2) == [429, 429]
        with pytest.raises(Exception, match="timed out"):
            stalled.result()
    assert codes(rest, 2) == [204, 204]


def test_keys_have_buckets_of_their_own(sandbox: Sandbox, rest: Rest, rest_as: RestAs) -> None:
    sandbox.limits = RateLimits(per_hour=1)
    assert codes(rest, 2) == [204, 429]
    assert codes(rest_as(sandbox.add_agent("Noor Aziz").api_key), 2) == [204, 429]


def test_a_refused_request_fills_no_bucket(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.limits = RateLimits(per_hour=2)
    assert codes(rest, 50) == [204, 204] + [429] * 48
    clock.advance(1800)
    assert codes(rest, 2) == [204, 429]


def test_limits_can_be_lifted(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.limits = RateLimits(per_hour=1)
    codes(rest, 1)
    sandbox.limits = None
    assert codes(rest, 3) == [204] * 3
