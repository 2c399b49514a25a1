"""What an outcome means for its operation: a value to return, or one clear error. Pure functions."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Lost, Outcome, Reply, Stage
from ultracart_conversation._wire.json import json_object
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    BadRequest,
    ConnectError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    ReplyError,
    ServerError,
    TimedOut,
    TransportError,
    UltraCartError,
    Undecodable,
)

_KEPT = 64 * 1024
_SHOWN = 200
_ADVICE: Mapping[type[ReplyError], str] = {
    AuthenticationError: "check the API key or token",
    PermissionDenied: "the key or its user lacks the permission: see UltraCart's user rights",
    NotFound: "if there should be, check the base URL (ULTRACART_BASE_URL)",
    ApplicationDisabled: "UltraCart has disabled this application: contact its support, repeating cannot help",
    RateLimited: "slow down, or ask UltraCart for a higher limit",
    ServerError: "try again later",
}
_BY_STATUS: Mapping[int, type[ReplyError]] = {
    400: BadRequest,
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    410: ApplicationDisabled,
    429: RateLimited,
}
_RATE = re.compile(r"rate of (\d+) per (\d+) second")


def judge(operation: Operation[Any], outcome: Outcome) -> dict[str, Any] | UltraCartError:
    """The JSON object of a success (empty for none), or the error to raise."""
    if isinstance(outcome, Lost):
        return _lost(operation, outcome)
    if not 200 <= outcome.status_code < 300:
        return _failed(operation, outcome)
    if outcome.undecodable is not None or outcome.cut:
        why = outcome.undecodable or "more bytes than we read"
        return _reply_error(Undecodable, operation, outcome, {}, why)
    return _succeeded(operation, outcome)


def _lost(operation: Operation[Any], lost: Lost) -> TransportError:
    if lost.stage is Stage.CONNECTING:
        where = f" at {lost.host}" if lost.host else ""
        return ConnectError(f"{operation.name}: no connection to UltraCart{where} ({lost.detail}); nothing was sent")
    if not operation.repeatable:
        error = OutcomeUnknown(
            f"{operation.name}: the request was sent and the reply was lost ({lost.detail}), so it may have been "
            f"carried out: {operation.check or 'check before you repeat it'}"
        )
        error.check = operation.check
        return error
    if lost.too_slow:
        return TimedOut(f"{operation.name}: UltraCart was too slow ({lost.detail}); it is safe to try again")
    return TransportError(f"{operation.name}: the reply was lost ({lost.detail}); it is safe to try again")


def _failed(operation: Operation[Any], reply: Reply) -> ReplyError:
    document = json_object(reply.body) or {}
    error = _error_of(document)
    kind = _BY_STATUS.get(reply.status_code, ServerError if reply.status_code >= 500 else ReplyError)
    said = _said(error, reply)
    if kind is BadRequest and "does not exist" in said.lower():
        kind = NotFound
    result = _reply_error(kind, operation, reply, error, said)
    if isinstance(result, RateLimited):
        result.retry_after = retry_after(reply)
    return result


def _succeeded(operation: Operation[Any], reply: Reply) -> dict[str, Any] | ReplyError:
    wanted = operation.returns is not type(None)
    if not reply.body.strip():
        return _reply_error(Undecodable, operation, reply, {}, "an empty body") if wanted else {}
    document = json_object(reply.body)
    if document is None:
        # A void operation may answer anything (its replies are undocumented), but a web page is not its answer.
        if wanted or reply.body.lstrip()[:1] == b"<":
            return _reply_error(Undecodable, operation, reply, {}, _glimpse(reply))
        return {}
    error = _error_of(document)
    if document.get("success") is False or error:
        return _reply_error(Refused, operation, reply, error, _said(error, reply))
    return document


def _error_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    error = document.get("error")
    return cast("Mapping[str, Any]", error) if isinstance(error, dict) else {}


def _said(error: Mapping[str, Any], reply: Reply) -> str:
    """What the service says went wrong, in its own words."""
    texts = (error.get("user_message"), error.get("developer_message"), reply.headers.get("UC-REST-ERROR"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "") or _glimpse(reply)


def _glimpse(reply: Reply) -> str:
    if not reply.body.strip():
        return "an empty body"
    kind = reply.headers.get("Content-Type", "no content type").partition(";")[0]
    return f"{kind}: {reply.body[:_SHOWN].decode(errors='replace')!r}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 2 * _SHOWN else line[: 2 * _SHOWN] + "…"


def _reply_error(
    kind: type[ReplyError], operation: Operation[Any], reply: Reply, error: Mapping[str, Any], said: str
) -> ReplyError:
    # What a 400 calls missing was looked for in the right place.
    advice = f"; {_ADVICE[kind]}" if kind in _ADVICE and reply.status_code != 400 else ""
    what = f"{reply.status_code}: {_one_line(said)}" if kind is not Undecodable else _undecodable(reply, said)
    what = what.rstrip(".") if advice else what
    result = kind(f"{operation.name}: UltraCart answered {what}{advice}{request_of(reply)}")
    result.status_code, result.headers = reply.status_code, reply.headers
    result.error, result.body = error, reply.body[:_KEPT]
    return result


def request_of(reply: Reply) -> str:
    """The end of a message: which request it was, if the service says so."""
    request_id = reply.headers.get("X-UltraCart-Request-Id")
    return f" [request {request_id}]" if request_id else ""


def _undecodable(reply: Reply, said: str) -> str:
    return f"{reply.status_code} with something other than a JSON object ({_one_line(said)})"


def retry_after(reply: Reply) -> float | None:
    """Seconds to wait before the next request, as the reply's header or its message says.

    `Retry-After` comes in seconds (documented) or as a date, which counts from the reply's own `Date`;
    `rate of N per S second(s)` in the message means that a leaky bucket frees a place every S/N seconds (inferred).
    """
    waits = [wait for wait in (_header_wait(reply), _message_wait(reply)) if wait is not None]
    return max(waits, default=None)


def _header_wait(reply: Reply) -> float | None:
    text = reply.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(reply.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())


def _message_wait(reply: Reply) -> float | None:
    text = reply.headers.get("UC-REST-ERROR", "") + reply.body[:_KEPT].decode(errors="replace")
    match = _RATE.search(text)
    return int(match[2]) / int(match[1]) if match and int(match[1]) else None
