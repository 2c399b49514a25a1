"""The table: each outcome, how loud it is, and what comes next."""

import logging
import pickle

import pytest

from ultracart_conversation._live.outcome import Closed, Denied, Outcome, Silent, Unauthorized, Unreachable
from ultracart_conversation._live.verdict import Next, judge
from ultracart_conversation._live.wording import discreet, fatal_error, told
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    LoginRequired,
    PermissionDenied,
    RateLimited,
    ServerError,
    TimedOut,
    UltraCartError,
    Undecodable,
)

D, W = logging.DEBUG, logging.WARNING
WAIT, NOW, END = Next.AFTER_WAIT, Next.AT_ONCE, Next.GIVE_UP

TABLE: list[tuple[Outcome, tuple[int, Next], tuple[int, Next]]] = [
    # outcome, as the first failure in a row, as a later one
    *[
        (Unauthorized(kind("no")), (D, END), (D, END))
        for kind in (AuthenticationError, LoginRequired, PermissionDenied, ApplicationDisabled, ConfigurationError)
    ],
    *[
        (Unauthorized(kind("no")), (W, WAIT), (D, WAIT))
        for kind in (ConnectError, TimedOut, ServerError, RateLimited, Undecodable, UltraCartError)
    ],
    (Unreachable("refused"), (W, WAIT), (D, WAIT)),
    (Denied(410), (D, END), (D, END)),
    *[(Denied(status), (W, NOW), (D, NOW)) for status in (401, 403)],
    *[(Denied(status), (W, WAIT), (D, WAIT)) for status in (200, 302, 400, 404, 426, 429, 500, 502, 503, 504)],
    (Closed(1001), (logging.INFO, NOW), (D, WAIT)),
    *[(Closed(code), (W, NOW), (D, NOW)) for code in (1008, 4401, 4403)],
    *[(Closed(code), (W, WAIT), (W, WAIT)) for code in (1003, 1007, 1009)],
    *[(Closed(code), (W, WAIT), (D, WAIT)) for code in (1000, 1002, 1005, 1006, 1011, 1012, 1013, 3000, 4000, 4999)],
    (Silent(25.0), (W, WAIT), (D, WAIT)),
]
REFUSALS = [Denied(401), Denied(403), Closed(1008), Closed(4401), Closed(4403)]


@pytest.mark.parametrize(("outcome", "first", "later"), TABLE, ids=lambda value: str(value)[:40])
def test_an_outcome_is_as_loud_as_the_table_says_and_followed_by_what_it_says(
    outcome: Outcome, first: tuple[int, Next], later: tuple[int, Next]
) -> None:
    for failures, expected in ((1, first), (2, later), (99, later)):
        verdict = judge(outcome, failures=failures, refused=False)
        assert (verdict.level, verdict.next) == expected


@pytest.mark.parametrize("outcome", REFUSALS, ids=str)
def test_a_second_refusal_in_a_row_is_final(outcome: Outcome) -> None:
    assert judge(outcome, failures=1, refused=False).refused
    assert judge(outcome, failures=2, refused=True).next is END


@pytest.mark.parametrize("outcome", [row[0] for row in TABLE if row[0] not in REFUSALS], ids=str)
def test_nothing_else_becomes_final_by_a_refusal_before(outcome: Outcome) -> None:
    verdict = judge(outcome, failures=2, refused=True)
    assert verdict.next is judge(outcome, failures=2, refused=False).next
    assert not verdict.refused


def rate_limited(seconds: float | None) -> Unauthorized:
    error = RateLimited("slow down")
    error.retry_after = seconds
    return Unauthorized(error)


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (rate_limited(90.0), 90.0),
        (rate_limited(None), 0.0),
        (Denied(429, "", 30.0), 30.0),
        (Denied(503, "", 7.0), 7.0),
        (Denied(503), 0.0),
        (Denied(503, "", -1.0), 0.0),
        (Denied(503, "", 1e300), 86_400.0),
        (Closed(1013), 0.0),
    ],
    ids=str,
)
def test_the_service_is_left_alone_for_as_long_as_it_asks_but_not_for_more_than_a_day(
    outcome: Outcome, seconds: float
) -> None:
    assert judge(outcome, failures=1, refused=False).at_least == seconds


@pytest.mark.parametrize(
    ("outcome", "kind", "status"),
    [
        (Denied(410, "Gone"), ApplicationDisabled, 410),
        (Denied(401, "Unauthorized"), AuthenticationError, 401),
        (Denied(403, "Forbidden"), PermissionDenied, 403),
        (Closed(4401, "token"), AuthenticationError, 0),
        (Closed(4403, "no"), PermissionDenied, 0),
        (Closed(1008, "policy"), PermissionDenied, 0),
    ],
    ids=str,
)
def test_a_final_error_says_what_and_where_and_what_next(outcome: Outcome, kind: type, status: int) -> None:
    error = fatal_error(outcome)
    assert type(error) is kind
    assert getattr(error, "status_code", None) == status
    assert str(error).startswith(f"agent websocket: {told(outcome)}; ")
    assert "\n" not in str(error)
    assert type(pickle.loads(pickle.dumps(error))) is kind


def test_a_final_error_of_the_authorization_stays_what_it_was() -> None:
    error = AuthenticationError("get_agent_websocket_authorization: UltraCart answered 401")
    assert fatal_error(Unauthorized(error)) is error


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Closed(1001, "Going away"), "closed with 1001 Going away"),
        (Closed(1006), "closed with 1006"),
        (Silent(25.04), "silent for 25 s"),
        (Denied(503, "busy"), "the handshake was answered with 503 busy"),
        (Unreachable("refused"), "no connection (refused)"),
        (Unauthorized(ServerError("503: busy")), "no authorization: ServerError: 503: busy"),
    ],
    ids=str,
)
def test_an_outcome_is_told_in_words(outcome: Outcome, words: str) -> None:
    assert told(outcome) == words


SECRET = "opaque/token+value"
LEAKS = [
    f"cannot reach wss://example.test/agent?token={SECRET}",
    f"GET /agent?token={SECRET}",
    "GET /agent?token=opaque%2Ftoken%2Bvalue",
    f"{SECRET}\n\x00{SECRET}",
    "see HTTPS://example.test/login?eyJhbGciOiJub25lIn0.eyJuIjowfQ.signature",
]


@pytest.mark.parametrize("text", LEAKS, ids=range(len(LEAKS)))
def test_what_the_service_said_shows_no_url_and_no_token_and_is_one_line(text: str) -> None:
    shown = [
        told(discreet(Closed(1011, text), secret=SECRET)),
        told(discreet(Unreachable(text), secret=SECRET)),
        told(discreet(Denied(503, text), secret=SECRET)),
        str(fatal_error(discreet(Denied(401, text), secret=SECRET))),
    ]
    for line in shown:
        assert all(secret not in line for secret in (SECRET, "opaque%2F", "://", "eyJ"))
        assert line.isprintable()


def test_an_error_of_the_authorization_is_told_without_what_looks_like_a_token() -> None:
    error = Undecodable('{"jwt":"eyJhbGciOiJub25lIn0.eyJuIjowfQ.signature","websocket_url":"wss://example.test/x?y=z')
    assert told(Unauthorized(error)) == 'no authorization: Undecodable: {"jwt":"***","websocket_url":"***'
