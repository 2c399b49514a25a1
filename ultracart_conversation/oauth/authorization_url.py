"""The page where a user allows an application to act for them."""

import hmac
import secrets
from urllib.parse import urlencode

import attrs

from ultracart_conversation.config import base_url_from_env, checked_base_url
from ultracart_conversation.errors import ConfigurationError, OAuthError


@attrs.frozen(kw_only=True)
class AuthorizationRequest:
    """Where to send the user, and the `state` that must come back with the redirect."""

    url: str
    state: str
    redirect_uri: str


def authorization_url(
    client_id: str, redirect_uri: str, *, state: str | None = None, base_url: str | None = None
) -> AuthorizationRequest:
    """The page of UltraCart where the user approves (documented); a `state` that nobody can guess unless given.

    The scopes come from the application's settings, not from here (documented). Afterwards the browser is sent to
    `redirect_uri` with `code` and `state`, or with `error`: `access_denied`, or `invalid_request` when the page was
    left open for too long (documented).
    """
    if state == "":
        raise ConfigurationError("state must be something that nobody can guess, or None to have one made")
    state = state or secrets.token_urlsafe(32)
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    base = checked_base_url(base_url or base_url_from_env(), allow_insecure=True)
    return AuthorizationRequest(
        url=f"{base}/oauth/authorize?{urlencode(query)}", state=state, redirect_uri=redirect_uri
    )


def check_state(returned: str, expected: str) -> None:
    """Raise `OAuthError` unless the redirect belongs to the login that this user began."""
    if not expected or not hmac.compare_digest(returned.encode(), expected.encode()):
        error = OAuthError(
            "oauth_access_token: the redirect's state is not the one that this login began with, so somebody else may "
            "have begun it; nothing was sent: begin the login again"
        )
        error.code = "state_mismatch"
        raise error
