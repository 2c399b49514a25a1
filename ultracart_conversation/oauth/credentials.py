"""OAuth credentials that stay valid: refreshed before they expire, and once after a 401."""

import logging
from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from inspect import isawaitable
from typing import Self

import anyio

from ultracart_conversation.auth import Authorization, Pipe
from ultracart_conversation.clock import Clock, SystemClock
from ultracart_conversation.errors import (
    ConfigurationError,
    LoginRequired,
    RateLimited,
    ServerError,
    TransportError,
    UltraCartError,
)
from ultracart_conversation.oauth import forms
from ultracart_conversation.oauth.tokens import OauthTokenResponse, Tokens, sendable, tokens_of

OnTokens = Callable[[Tokens], Awaitable[None] | None]
"""Stores new tokens; may be async; must not use a client with the same credentials, which would wait for it."""
LONGEST_MARGIN = 60.0
"""Seconds before its expiry from which on an access token is refreshed; a tenth of its lifetime if that is less."""
_PASSING = (TransportError, ServerError, RateLimited)
_OF_THE_PIPE = (TransportError, ConfigurationError)
_logger = logging.getLogger("ultracart_conversation.oauth")


class OAuth:
    """A user's OAuth login, for one client or for several on the same event loop.

    The access token is refreshed shortly before `expires_at` (seconds since 1970) and once after a 401, by one
    request however many calls need it; a refresh that has begun goes on when the calls that wait for it are cancelled.
    `on_tokens` gets all new tokens before any of them is used, each once. When it raises, the calls that waited raise
    the same, and the next call hands the same tokens over again. A refresh that fails fails the calls that waited for
    it, unless the old token still has time; the next call tries again. When the refresh token is no longer accepted
    that is a `LoginRequired`.
    """

    def __init__(
        self,
        client_id: str,
        *,
        refresh_token: str | None = None,
        access_token: str | None = None,
        expires_at: float | None = None,
        on_tokens: OnTokens | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not client_id or not (refresh_token or access_token):
            raise ConfigurationError("OAuth needs a client_id, and a refresh_token or an access_token")
        if access_token and not sendable(access_token):
            raise ConfigurationError("an access token is printable ASCII without spaces: check for a stray newline")
        self._client_id = client_id
        self._refresh_token = refresh_token or None
        self._on_tokens = on_tokens
        self._clock = clock or SystemClock()
        self._authorization: Authorization | None = None
        self._expires_at: float | None = None
        self._renew_at: float | None = None
        self._undelivered: Tokens | None = None
        self._flight: _Flight | None = None
        self._use(access_token, expires_at)

    @classmethod
    def from_tokens(cls, tokens: Tokens, *, on_tokens: OnTokens | None = None, clock: Clock | None = None) -> Self:
        """Go on with tokens as `on_tokens` or `OAuthApplication` gave them."""
        return cls(
            tokens.client_id,
            refresh_token=tokens.refresh_token,
            access_token=tokens.access_token,
            expires_at=tokens.expires_at,
            on_tokens=on_tokens,
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"OAuth({self._client_id!r})"

    async def prepare(self, pipe: Pipe, /) -> None:
        """Wait for a new access token when the old one was rejected or is about to expire.

        Raises `LoginRequired`, another `OAuthError`, or any error of the exchange.
        """
        while self._is_due():
            flight = self._flight or self._depart(pipe)
            await flight.landed.wait()
            if flight.error is None:
                return
            if flight.pipe is not pipe and isinstance(flight.error, _OF_THE_PIPE):
                continue  # its client may have been closed, which says nothing about this one
            if self._can_do_without(flight.error):
                return
            raise copy(flight.error) if isinstance(flight.error, UltraCartError) else flight.error

    def current(self) -> Authorization | None:
        """The newest access token, unless it was rejected."""
        return self._authorization

    def reject(self, authorization: Authorization, /) -> bool:
        """Never send this one again; whether there is another or may be."""
        if authorization == self._authorization:
            self._authorization = None
        return self._authorization is not None or self._refresh_token is not None

    def _is_due(self) -> bool:
        if self._authorization is None:
            return True
        if self._refresh_token is None or self._renew_at is None:
            return False
        return self._clock.time() >= self._renew_at

    def _can_do_without(self, error: Exception) -> bool:
        """Whether the old access token still has time although it could not be refreshed for a passing reason."""
        in_time = self._expires_at is not None and self._clock.time() < self._expires_at
        return in_time and self._authorization is not None and isinstance(error, _PASSING)

    def _depart(self, pipe: Pipe) -> "_Flight":
        if self._refresh_token is None:
            raise LoginRequired("the access token was rejected and there is no refresh token: log in again")
        flight = self._flight = _Flight(pipe)
        pipe.detach(partial(self._fly, flight))
        return flight

    async def _fly(self, flight: "_Flight") -> None:
        try:
            tokens = self._undelivered or await self._refreshed(flight.pipe)
            await self._deliver(tokens)
            self._refresh_token = tokens.refresh_token
            self._use(tokens.access_token, tokens.expires_at)
            flight.error = None
        except Exception as error:  # noqa: BLE001 - raised by every call that waits
            _logger.info("the access token was not refreshed: %s", type(error).__name__)
            flight.error = error
        finally:
            self._flight = None
            flight.landed.set()

    async def _refreshed(self, pipe: Pipe) -> Tokens:
        form = forms.refresh(self._client_id, self._refresh_token or "")
        reply = await pipe.post(form, OauthTokenResponse)
        return tokens_of(reply, client_id=self._client_id, now=self._clock.time(), refresh_token=self._refresh_token)

    async def _deliver(self, tokens: Tokens) -> None:
        """The old refresh token may be worth nothing by now, so the new ones are kept until they are stored."""
        self._undelivered = tokens
        stored = self._on_tokens(tokens) if self._on_tokens is not None else None
        if isawaitable(stored):
            await stored
        self._undelivered = None

    def _use(self, access_token: str | None, expires_at: float | None) -> None:
        self._authorization = Authorization("Authorization", f"Bearer {access_token}") if access_token else None
        self._expires_at = expires_at
        self._renew_at = None
        if expires_at is not None:
            lifetime = max(0.0, expires_at - self._clock.time())
            self._renew_at = expires_at - min(LONGEST_MARGIN, lifetime / 10)


class _Flight:
    """One refresh under way, and how it ended."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.landed = anyio.Event()
        self.error: Exception | None = TransportError(
            "oauth_access_token: the refresh was cut off with its event loop; it is safe to try again"
        )
