"""When a failed exchange is repeated: every row of the table."""

from types import NoneType

import pytest

from ultracart_conversation import Operation, Retry
from ultracart_conversation._rest.outcome import Lost, Outcome, Reply, Stage
from ultracart_conversation._rest.retry import wait_before_next
from ultracart_conversation._rest.verdict import retry_after

READ = Operation("read", "GET", "/read", NoneType, repeatable=True)
WRITE = Operation("write", "PUT", "/write", NoneType)
RETRY = Retry(attempts=4, initial=1.0, ceiling=3.0)
NOW = "Wed, 21 Oct 2026 07:28:00 GMT"


def reply(status: int, *, body: bytes = b"", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status_code=status, headers=named, body=body)


def wait(operation: Operation[None], outcome: Outcome, attempt: int = 1, *, draw: float = 0.5) -> float | None:
    return wait_before_next(operation, outcome, attempt=attempt, retry=RETRY, draw=lambda: draw)


@pytest.mark.parametrize(
    ("outcome", "read", "write"),
    [
        (Lost(Stage.CONNECTING, "refused"), 0.5, 0.5),
        (Lost(Stage.CONNECTING, "timeout", too_slow=True), 0.5, 0.5),
        (Lost(Stage.SENT, "reset"), 0.5, None),
        (Lost(Stage.SENT, "timeout", too_slow=True), 0.5, None),
        (reply(200), None, None),
        (reply(302), None, None),
        (reply(400), None, None),
        (reply(401), None, None),
        (reply(403), None, None),
        (reply(404), None, None),
        (reply(409), None, None),
        (reply(410), None, None),
        (reply(429), 1.5, 1.5),
        (reply(429, Retry_After="7"), 7.5, 7.5),
        (reply(429, Retry_After="7", UC_REST_ERROR="rate of 10 per 200 second(s) exceeded."), 20.5, 20.5),
        (reply(500), 0.5, None),
        (reply(502, body=b"<html>"), 0.5, None),
        (reply(503, Retry_After="7"), 7.0, None),
        (reply(504), 0.5, None),
    ],
)
def test_the_table(outcome: Outcome, read: float | None, write: float | None) -> None:
    assert wait(READ, outcome) == read
    assert wait(WRITE, outcome) == write


def test_the_wait_is_drawn_below_a_bound_that_doubles_up_to_the_ceiling() -> None:
    lost = Lost(Stage.SENT, "reset")
    assert [wait(READ, lost, attempt, draw=1.0) for attempt in (1, 2, 3, 4)] == [1.0, 2.0, 3.0, None]
    assert wait(READ, lost, 1, draw=0.0) == 0.0


def test_one_attempt_means_no_retry() -> None:
    lost = Lost(Stage.CONNECTING, "refused")
    assert wait_before_next(READ, lost, attempt=1, retry=Retry(attempts=1), draw=lambda: 0.0) is None


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (reply(429), None),
        (reply(429, Retry_After="0"), 0.0),
        (reply(429, Retry_After=" 12 "), 12.0),
        (reply(429, Retry_After="soon"), None),
        (reply(429, Retry_After="-3"), None),
        (reply(429, Retry_After="Wed, 21 Oct 2026 07:28:09 GMT", Date=NOW), 9.0),
        (reply(429, Retry_After="Wed, 21 Oct 2026 07:27:00 GMT", Date=NOW), 0.0),
        (reply(429, Retry_After="Wed, 21 Oct 2026 07:28:09 GMT"), None),
        (reply(429, body=b"rate of 10000 per 86400 second(s) exceeded."), 8.64),
        (reply(429, body=b"rate of 0 per 86400 second(s) exceeded."), None),
        (reply(429, UC_REST_ERROR="rate of 1000 per 3600 second(s) exceeded.", Retry_After="2"), 3.6),
    ],
)
def test_what_the_service_asks_for(answer: Reply, seconds: float | None) -> None:
    assert retry_after(answer) == seconds
