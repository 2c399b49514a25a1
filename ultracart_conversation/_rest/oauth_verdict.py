"""What an outcome means for a form posted to the OAuth server: replies hold tokens, and flat errors. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

import attrs

from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Lost, Outcome, Reply
from ultracart_conversation._rest.verdict import judge, request_of
from ultracart_conversation._wire.json import json_object
from ultracart_conversation.auth import OAuthForm
from ultracart_conversation.errors import LoginRequired, OAuthError, UltraCartError

_SHOWN = 200
_ADVICE: Mapping[str, str] = {
    "access_denied": "the user, or UltraCart, said no",
    "authorization_pending": "the user has not decided yet",
    "expired_token": "the user took too long: begin the login again",
    "invalid_client": "check the client id",
    "invalid_grant": "log in again",
    "invalid_scope": "check the scope that was asked for",
    "slow_down": "ask less often",
    "unauthorized_client": "UltraCart does not let this application log in like this",
}
_WITHHELD = b"(not shown, as it may hold tokens)"
_TOKENS = ("access_token", "refresh_token", "device_code")


def judge_form(operation: Operation[Any], form: OAuthForm, outcome: Outcome) -> dict[str, Any] | UltraCartError:
    """The JSON object of a success, or the error to raise, which shows no secret of the form and no token."""
    if isinstance(outcome, Lost):
        return judge(operation, outcome)
    unreadable = outcome.cut or outcome.undecodable
    document, secrets = {} if unreadable else json_object(outcome.body) or {}, form.secrets
    code = document.get("error")
    if isinstance(code, str) and code and outcome.status_code != 429 and outcome.status_code < 500:
        return _refusal(operation, outcome, document, secrets)
    success = 200 <= outcome.status_code < 300
    if success and any(name in document for name in _TOKENS):
        return document
    verdict = judge(operation, _discreet(outcome, secrets, withhold=success and not document))
    if isinstance(verdict, UltraCartError):
        verdict.args = (_without(secrets, str(verdict)),)
    return verdict


def _refusal(
    operation: Operation[Any], reply: Reply, document: Mapping[str, Any], secrets: Sequence[str]
) -> OAuthError:
    code, description = (_text(document, name, secrets) for name in ("error", "error_description"))
    said = f"{code} ({description})" if description else code
    advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
    kind = LoginRequired if code == "invalid_grant" else OAuthError
    error = kind(f"{operation.name}: UltraCart answered {reply.status_code}: {said}{advice}{request_of(reply)}")
    error.code, error.description = code, description
    error.status_code, error.headers = reply.status_code, reply.headers
    error.error = {"error": code, "error_description": description}
    return error


def _text(document: Mapping[str, Any], name: str, secrets: Sequence[str]) -> str:
    """What the reply says, on one line of printable characters."""
    value = document.get(name)
    words = "".join(each if each.isprintable() else " " for each in value).split() if isinstance(value, str) else ()
    return _without(secrets, " ".join(words))[:_SHOWN]


def _discreet(reply: Reply, secrets: Sequence[str], *, withhold: bool) -> Reply:
    """`reply` as it may be quoted; a success that is no JSON object may be a part of one with tokens."""
    if not reply.body.strip():
        return reply
    body = _WITHHELD if withhold else _without(secrets, reply.body.decode(errors="replace")).encode()
    return attrs.evolve(reply, body=body)


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets:
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, "***")
    return text
