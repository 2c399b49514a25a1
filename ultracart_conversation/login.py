"""What the command line does to log in and out, and whose credentials it uses."""

import os
from collections.abc import Callable, Mapping

from ultracart_conversation._rest.oauth_application import OAuthApplication
from ultracart_conversation.auth import ApiKey, Credentials
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import ConfigurationError, LoginRequired, Refused
from ultracart_conversation.oauth.credentials import OAuth
from ultracart_conversation.oauth.token_file import TokenFile

Say = Callable[[str], None]
"""Shows the user a line."""
_CLIENT_ID = "ULTRACART_CLIENT_ID"


async def login(
    client_id: str | None = None, *, file: TokenFile, say: Say, scope: str = "crm", clock: Clock | None = None
) -> None:
    """Log in by the device flow and store the tokens; `client_id` defaults to `ULTRACART_CLIENT_ID`.

    Raises `ConfigurationError` before anything is sent when the file cannot be used, `OAuthError` when the user or
    the service says no.
    """
    client_id = client_id or os.environ.get(_CLIENT_ID, "").strip()
    if not client_id:
        raise ConfigurationError(f"which developer application shall log in? Pass --client-id, or set {_CLIENT_ID}")
    file.load()
    async with OAuthApplication(client_id, base_url=file.base_url, clock=clock) as application:
        device = await application.device_authorization(scope=scope)
        say(f"Open {_printable(device.verification_uri_complete or device.verification_uri)}")
        say(f"and enter the code {_printable(device.user_code)}")
        file(await application.device_tokens(device))
    say(f"Logged in at {file.base_url}; the tokens are in {file.path}")


async def logout(*, file: TokenFile, say: Say) -> None:
    """End the stored login at the service and forget it; a service that cannot be reached leaves the file as it is."""
    tokens = file.load()
    if tokens is None:
        say(f"Not logged in at {file.base_url}")
        return
    async with OAuthApplication(tokens.client_id, base_url=file.base_url) as application:
        try:
            await application.revoke(tokens.refresh_token or tokens.access_token)
            done = f"Logged out of {file.base_url}"
        except (LoginRequired, Refused):
            done = f"The login at {file.base_url} had ended before"
    file.forget()
    say(done)


def stored_credentials(file: TokenFile | None = None, *, environment: Mapping[str, str] = os.environ) -> Credentials:
    """`ULTRACART_API_KEY` if it is set, otherwise the stored login; `ConfigurationError` when there is neither."""
    key = environment.get("ULTRACART_API_KEY", "").strip()
    if key:
        return ApiKey(key)
    file = file or TokenFile()
    tokens = file.load()
    if tokens is None:
        raise ConfigurationError(
            f"no credentials for {file.base_url}: set ULTRACART_API_KEY, or run ultracart-conversation login"
        )
    return OAuth.from_tokens(tokens, on_tokens=file)


def _printable(text: str | None) -> str:
    return "".join(each for each in text or "" if each.isprintable())
