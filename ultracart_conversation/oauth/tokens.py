"""What the OAuth server answers, and the tokens that come of it."""

from typing import Any

import attrs

from ultracart_conversation.errors import Undecodable
from ultracart_conversation.models.model import Model, hidden

_LONGEST_LIFETIME = 10 * 365 * 86_400


@attrs.frozen(kw_only=True, repr=False)
class OauthTokenResponse(Model):
    """Reply to `oauth_access_token`; the tokens stay out of the `repr`."""

    access_token: str | None = attrs.field(default=None, repr=hidden)
    error: str | None = None
    error_description: str | None = None
    error_uri: str | None = None
    expires_in: str | None = None
    """Seconds, as text (documented)."""
    merchant_id: str | None = None
    refresh_token: str | None = attrs.field(default=None, repr=hidden)
    scope: str | None = None
    token_type: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class OauthDeviceAuthorizationResponse(Model):
    """Reply to `oauth_device_authorize`: show `user_code` and `verification_uri` to the user."""

    device_code: str | None = attrs.field(default=None, repr=hidden)
    expires_in: int | None = None
    """Seconds that the user has."""
    interval: int | None = None
    """Seconds to wait between two questions whether the user is done."""
    user_code: str | None = None
    verification_uri: str | None = None
    verification_uri_complete: str | None = None
    """The page with the code filled in."""


@attrs.frozen(kw_only=True, repr=False)
class OauthRevokeSuccessResponse(Model):
    """Reply to `oauth_revoke`."""

    message: str | None = None
    successful: bool | None = None


def _secret(value: str | None) -> str:
    return "None" if value is None else "'***'"


@attrs.frozen(kw_only=True)
class Tokens:
    """What a login is worth; the tokens stay out of every `repr`."""

    client_id: str
    """The developer application that they were issued to."""
    access_token: str = attrs.field(repr=_secret)
    refresh_token: str | None = attrs.field(default=None, repr=_secret)
    """None when the login cannot be renewed."""
    expires_at: float | None = None
    """When the access token ends, in seconds since 1970; None when the service did not say."""
    scope: str | None = None
    merchant_id: str | None = None


def tokens_of(reply: OauthTokenResponse, *, client_id: str, now: float, refresh_token: str | None = None) -> Tokens:
    """The tokens in `reply`, received at `now`; `refresh_token` is kept unless a new one came.

    Raises `Undecodable` when there is no access token that could be sent.
    """
    if not reply.access_token or not sendable(reply.access_token):
        raise Undecodable("oauth_access_token: the reply has no usable access token; try again later")
    lifetime = _seconds(reply.expires_in if reply.expires_in is not None else reply.extra.get("expires_in"))
    return Tokens(
        client_id=client_id,
        access_token=reply.access_token,
        refresh_token=reply.refresh_token or refresh_token,
        expires_at=None if lifetime is None else now + lifetime,
        scope=reply.scope,
        merchant_id=reply.merchant_id,
    )


def sendable(token: str) -> bool:
    """Whether `token` can stand in a header; the libraries below would quote another one in their errors."""
    return token.isascii() and token.isprintable() and " " not in token and bool(token)


def _seconds(value: Any) -> float | None:
    """A lifetime as text (documented) or as a number; None for anything that is none."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds <= _LONGEST_LIFETIME else None
