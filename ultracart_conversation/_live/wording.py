"""An outcome in words that are safe to show: on one line, without a URL, without a token. Pure functions."""

import re

import attrs

from ultracart_conversation._live.denial import one_line
from ultracart_conversation._live.outcome import Closed, Denied, Outcome, Silent, Unauthorized, Unreachable
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    PermissionDenied,
    ReplyError,
    UltraCartError,
)

_SECRETIVE = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\beyJ[\w-]+(\.[\w-]+)*", re.IGNORECASE)
"""URLs, and what looks like a JWT."""
_NO_USE = "a new JWT did not help: check how the JWT is presented (the session's dialect)"


def told(outcome: Outcome) -> str:
    """`outcome` in words, such as `closed with 1001 Going away`."""
    match outcome:
        case Unauthorized(error):
            return f"no authorization: {type(error).__name__}: {_clean(str(error), '')}"
        case Unreachable(detail):
            return f"no connection ({detail})"
        case Denied(status, detail):
            return f"the handshake was answered with {status} {detail}".rstrip()
        case Closed(code, reason):
            return f"closed with {code} {reason}".rstrip()
        case Silent(seconds):
            return f"silent for {seconds:.0f} s"


def discreet(outcome: Outcome, *, secret: str) -> Outcome:
    """`outcome` with what others said of it on one line, without URLs and without `secret`."""
    match outcome:
        case Unreachable(detail) | Denied(_, detail):
            return attrs.evolve(outcome, detail=_clean(detail, secret))
        case Closed(_, reason):
            return attrs.evolve(outcome, reason=_clean(reason, secret))
        case Unauthorized() | Silent():
            return outcome


def fatal_error(outcome: Outcome) -> UltraCartError:
    """The error to raise for an outcome that ends the session."""
    if isinstance(outcome, Unauthorized):
        return outcome.error
    kind, advice = _kind(outcome)
    error = kind(f"agent websocket: {told(outcome)}; {advice}")
    error.status_code = outcome.status if isinstance(outcome, Denied) else 0
    return error


def _kind(outcome: Outcome) -> tuple[type[ReplyError], str]:
    match outcome:
        case Denied(410):
            advice = "UltraCart has disabled this application: contact its support, repeating cannot help"
            return ApplicationDisabled, advice
        case Denied(403) | Closed(1008 | 4403):
            return PermissionDenied, f"{_NO_USE}, and whether the agent's user may chat (UltraCart's user rights)"
        case _:
            return AuthenticationError, _NO_USE


def _clean(text: str, secret: str) -> str:
    return _SECRETIVE.sub("***", one_line(text, secret=secret))
