"""What each way to be offline means: how loud it is, and what comes next. The table, and pure functions."""

import logging
from collections.abc import Mapping
from enum import StrEnum

import attrs

from ultracart_conversation._live.outcome import Closed, Denied, Outcome, Silent, Unauthorized, Unreachable
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    ConfigurationError,
    PermissionDenied,
    RateLimited,
)

_LONGEST_PAUSE = 86_400.0
"""The longest window of UltraCart's published limits; nobody has to be left alone for longer."""


class Next(StrEnum):
    """What comes after an outcome."""

    AT_ONCE = "connect at once, unless it failed before: then after a wait"
    AFTER_WAIT = "connect after a wait"
    REAUTHORIZE = "connect at once with a new JWT; refused again, give up"
    GIVE_UP = "raise the error"


@attrs.frozen
class _Row:
    first: int
    """How loud it is as the first failure in a row."""
    later: int
    next: Next


_FATAL = _Row(logging.DEBUG, logging.DEBUG, Next.GIVE_UP)
"""It is raised, so logging it would say it twice."""
_REFUSED = _Row(logging.WARNING, logging.DEBUG, Next.REAUTHORIZE)
_ROUTINE = _Row(logging.INFO, logging.DEBUG, Next.AT_ONCE)
_OUR_FAULT = _Row(logging.WARNING, logging.WARNING, Next.AFTER_WAIT)
_TRANSIENT = _Row(logging.WARNING, logging.DEBUG, Next.AFTER_WAIT)


_FINAL = (ApplicationDisabled, AuthenticationError, PermissionDenied, ConfigurationError)
"""From the authorization by REST, which has tried a fresh token already."""
_BY_STATUS: Mapping[int, _Row] = {401: _REFUSED, 403: _REFUSED, 410: _FATAL}
"""Of the handshake: AWS API Gateway refuses a token with 401 or 403 (documented there)."""
_BY_CODE: Mapping[int, _Row] = {
    1001: _ROUTINE,  # idle for 10 minutes, or open for 2 hours (documented by AWS)
    1003: _OUR_FAULT,  # a binary frame (documented by AWS)
    1007: _OUR_FAULT,  # not UTF-8
    1008: _REFUSED,  # a policy was violated
    1009: _OUR_FAULT,  # a frame or message that is too large (documented by AWS)
    4401: _REFUSED,
    4403: _REFUSED,
}
"""Of a closing frame; all others, such as 1006, 1011, 1012 and 1013, pass with time."""


def _row(outcome: Outcome) -> _Row:
    match outcome:
        case Unauthorized(error):
            return _FATAL if isinstance(error, _FINAL) else _TRANSIENT
        case Denied(status):
            return _BY_STATUS.get(status, _TRANSIENT)
        case Closed(code):
            return _BY_CODE.get(code, _TRANSIENT)
        case Unreachable() | Silent():
            return _TRANSIENT


@attrs.frozen(kw_only=True)
class Verdict:
    """How loud an outcome is, and what comes next: `AT_ONCE`, `AFTER_WAIT` or `GIVE_UP`."""

    level: int
    next: Next
    refused: bool
    """Whether another refusal right after this one is final."""
    at_least: float = 0.0
    """Seconds that the service wants to be left alone."""


def judge(outcome: Outcome, *, failures: int, refused: bool) -> Verdict:
    """What `outcome` means as number `failures` in a row, right after a refusal or not."""
    row = _row(outcome)
    return Verdict(
        level=row.first if failures <= 1 else row.later,
        next=_next(row, failures=failures, refused=refused),
        refused=row.next is Next.REAUTHORIZE,
        at_least=_at_least(outcome),
    )


def _next(row: _Row, *, failures: int, refused: bool) -> Next:
    if row.next is Next.REAUTHORIZE:
        return Next.GIVE_UP if refused else Next.AT_ONCE
    if row.next is Next.AT_ONCE and failures > 1:
        return Next.AFTER_WAIT
    return row.next


def _at_least(outcome: Outcome) -> float:
    match outcome:
        case Unauthorized(RateLimited(retry_after=seconds)) | Denied(retry_after=seconds):
            return min(max(0.0, seconds or 0.0), _LONGEST_PAUSE)
        case _:
            return 0.0
