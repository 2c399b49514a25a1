"""Logging in and out by OAuth: the authorization-code flow, the device flow and revocation."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from ultracart_conversation._rest.budget import Budget
from ultracart_conversation._wire.drift import Drift
from ultracart_conversation.auth import OAuthForm
from ultracart_conversation.clock import Clock, SystemClock
from ultracart_conversation.config import Retry, Timeouts, base_url_from_env, checked_base_url
from ultracart_conversation.errors import (
    ConfigurationError,
    OAuthError,
    RateLimited,
    Refused,
    ServerError,
    TransportError,
    Undecodable,
)
from ultracart_conversation.limits import Limits
from ultracart_conversation.oauth import forms
from ultracart_conversation.oauth.authorization_url import AuthorizationRequest, authorization_url, check_state
from ultracart_conversation.oauth.tokens import (
    OauthDeviceAuthorizationResponse,
    OauthRevokeSuccessResponse,
    OauthTokenResponse,
    Tokens,
    tokens_of,
)

if TYPE_CHECKING:
    import httpx

_INTERVAL = 5.0
"""Seconds between two questions unless the service says otherwise, and what `slow_down` adds (RFC 8628)."""
_LONGEST_INTERVAL = 60.0
_PATIENCE = 900.0
"""Seconds to wait for the user when the service does not say."""


class OAuthApplication:
    """A developer application of UltraCart, which gets tokens for its users; close it, or use it as a context manager.

    ```python
    async with OAuthApplication("client-id") as application:
        device = await application.device_authorization()
        print(f"Enter {device.user_code} at {device.verification_uri}")
        tokens = await application.device_tokens(device)
    credentials = OAuth.from_tokens(tokens, on_tokens=TokenFile())
    ```

    The arguments are those of `ConversationClient`. Every method that sends something may raise any `TransportError`
    or `ReplyError`; what the OAuth server says no to is an `OAuthError`.
    """

    def __init__(
        self,
        client_id: str,
        *,
        base_url: str | None = None,
        limits: Limits | Budget | None = None,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        allow_insecure: bool = False,
        clock: Clock | None = None,
    ) -> None:
        # Importing httpx takes as long as all the rest, and loads rich and click where they are installed.
        from ultracart_conversation._rest.pipeline import Pipeline  # noqa: PLC0415
        from ultracart_conversation._rest.transport import HttpTransport  # noqa: PLC0415

        if not client_id:
            raise ConfigurationError("an OAuth application needs its client_id")
        self.client_id = client_id
        self.base_url: str = checked_base_url(base_url or base_url_from_env(), allow_insecure=allow_insecure)
        self._clock = clock or SystemClock()
        self._pipeline = Pipeline(
            HttpTransport(self.base_url, timeouts=timeouts or Timeouts(), clock=self._clock, transport=transport),
            credentials=None,
            budget=limits if isinstance(limits, Budget) else Budget(limits, clock=self._clock),
            retry=retry or Retry(),
            clock=self._clock,
            drift=Drift(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"OAuthApplication({self.client_id!r}, base_url={self.base_url!r})"

    async def aclose(self) -> None:
        """Close all connections, in at most 2 seconds."""
        with anyio.move_on_after(2, shield=True):
            await self._pipeline.aclose()

    def authorization_url(self, redirect_uri: str, *, state: str | None = None) -> AuthorizationRequest:
        """Where to send the user's browser, and the `state` to keep in the user's session until it comes back."""
        return authorization_url(self.client_id, redirect_uri, state=state, base_url=self.base_url)

    async def exchange_code(self, code: str, *, redirect_uri: str, state: str, expected_state: str) -> Tokens:
        """The tokens for the `code` that came with the redirect.

        `state` came with it too, `expected_state` is that of `authorization_url`; nothing is sent when they differ.
        A code is good for one attempt: a lost reply raises `OutcomeUnknown`, and the login must begin again.
        """
        form = forms.authorization_code(self.client_id, code, redirect_uri=redirect_uri)
        # A traceback that shows the variables of its frames must not show the code.
        del code
        check_state(state, expected_state)
        return await self._tokens(form)

    async def device_authorization(self, *, scope: str = "crm") -> OauthDeviceAuthorizationResponse:
        """Begin a login on another device: show `user_code` and `verification_uri`, then await `device_tokens`.

        `scope` is an application's, such as `crm` (documented); that conversations belong to it is inferred.
        """
        form = forms.device_authorization(self.client_id, scope=scope)
        device = await self._pipeline.post(form, OauthDeviceAuthorizationResponse)
        if not device.device_code or not device.user_code or not device.verification_uri:
            raise Undecodable("oauth_device_authorize: the reply lacks a code or the page to enter it; try again later")
        return device

    async def device_tokens(self, device: OauthDeviceAuthorizationResponse) -> Tokens:
        """Wait until the user has entered the code, and get the tokens (RFC 8628).

        Raises `OAuthError` with the code `access_denied` when the user says no, `expired_token` when it takes longer
        than `device.expires_in` seconds from now. A failing network is waited for, as long as there is time.
        """
        ends = self._clock.now() + (device.expires_in or _PATIENCE)
        interval = float(device.interval or _INTERVAL)
        form = forms.device_code(self.client_id, device.device_code or "")
        while True:
            await self._clock.sleep(max(0.0, min(interval, ends - self._clock.now())))
            if self._clock.now() >= ends:
                raise _expired()
            try:
                return await self._tokens(form)
            except OAuthError as error:
                interval += _more_patience(error)
            except (TransportError, ServerError, RateLimited):
                interval = max(interval, min(2 * interval, _LONGEST_INTERVAL))

    async def revoke(self, token: str) -> None:
        """End an access token or a refresh token before its time; raises `Refused` when the service does not."""
        form = forms.revocation(self.client_id, token)
        del token
        reply = await self._pipeline.post(form, OauthRevokeSuccessResponse)
        if reply.successful is False:
            raise Refused("oauth_revoke: UltraCart did not revoke the token; it may have ended before")

    async def _tokens(self, form: OAuthForm) -> Tokens:
        reply = await self._pipeline.post(form, OauthTokenResponse)
        return tokens_of(reply, client_id=self.client_id, now=self._clock.time())


def _more_patience(error: OAuthError) -> float:
    """Seconds to add to the interval; raises `error` unless the user may still approve."""
    if error.code not in ("authorization_pending", "slow_down"):
        raise error
    return _INTERVAL if error.code == "slow_down" else 0.0


def _expired() -> OAuthError:
    error = OAuthError("oauth_access_token: nobody entered the code in time: begin the login again")
    error.code = "expired_token"
    return error
