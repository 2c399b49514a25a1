"""The requests to the OAuth server (documented), a function each."""

from ultracart_conversation.auth import OAuthForm

_TOKEN = "/oauth/token"  # noqa: S105 - a path
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def refresh(client_id: str, refresh_token: str) -> OAuthForm:
    """New tokens for a refresh token.

    When the reply is lost, the old refresh token is all there is to go on with, so that asking again is the only way
    on, although a server that rotates may have used it up.
    """
    fields = {"client_id": client_id, "grant_type": "refresh_token", "refresh_token": refresh_token}
    return OAuthForm(operation="oauth_access_token", path=_TOKEN, fields=fields, repeatable=True)


def authorization_code(client_id: str, code: str, *, redirect_uri: str) -> OAuthForm:
    """Tokens for the code that came with the redirect; a code is good for one attempt (RFC 6749)."""
    fields = {"client_id": client_id, "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return OAuthForm(operation="oauth_access_token", path=_TOKEN, fields=fields, check="begin the login again")


def device_code(client_id: str, code: str) -> OAuthForm:
    """Tokens for a device code, once the user has approved."""
    fields = {"client_id": client_id, "grant_type": _DEVICE_CODE, "device_code": code}
    return OAuthForm(operation="oauth_access_token", path=_TOKEN, fields=fields, check="ask again, less often")


def device_authorization(client_id: str, *, scope: str) -> OAuthForm:
    """A device code, and the code that the user shall enter."""
    fields = {"client_id": client_id, "scope": scope}
    return OAuthForm(operation="oauth_device_authorize", path="/oauth/device/authorize", fields=fields, repeatable=True)


def revocation(client_id: str, token: str) -> OAuthForm:
    """The end of an access token or a refresh token."""
    fields = {"client_id": client_id, "token": token}
    return OAuthForm(operation="oauth_revoke", path="/oauth/revoke", fields=fields, repeatable=True)
