"""What a session takes for granted where UltraCart publishes nothing: how the JWT is presented, and the ping."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit

import attrs

from ultracart_conversation._live.socket import Address
from ultracart_conversation._wire.json import dumps
from ultracart_conversation._wire.json_object import JsonObject, plain
from ultracart_conversation.config import is_loopback
from ultracart_conversation.errors import ConfigurationError, UltraCartError, Undecodable
from ultracart_conversation.models import ConversationAgentAuth

LONGEST_URL = 4096
"""Characters; a limit of AWS API Gateway (documented there), which UltraCart is inferred to use."""
_OPERATION = "get_agent_websocket_authorization"
_IN_HEADERS = ("header", "subprotocol")
_HEADER_SAFE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""What both a header and a subprotocol may carry (RFC 9110, 5.6.2); every JWT is of these characters."""


_PING: Mapping[str, Any] | None = JsonObject({"type": "ping"})


def _read_only(ping: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    try:
        dumps(plain(ping))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"Dialect(ping) cannot be written as JSON: {error}") from None
    return None if ping is None else JsonObject(plain(ping))


@attrs.frozen(kw_only=True)
class Dialect:
    """The part of the websocket that UltraCart does not publish.

    Every default is inferred, from what UltraCart documents of a sibling service and AWS of its API Gateway: change
    it here as soon as you know better.
    """

    token: Literal["query", "header", "subprotocol"] = attrs.field(
        default="query", validator=attrs.validators.in_(("query", "header", "subprotocol"))
    )
    """How the JWT is presented when `websocket_url` does not carry it already.

    As a query parameter, as `Authorization: Bearer`, or as the second of two subprotocols, of which the first is "jwt".
    """
    parameter: str = attrs.field(default="token", validator=attrs.validators.min_len(1))
    """The name of that query parameter."""
    ping: Mapping[str, Any] | None = attrs.field(default=_PING, converter=_read_only)
    """The frame that keeps the connection from being idle; None = send none."""
    ping_period: float = attrs.field(default=240.0, validator=attrs.validators.gt(0))
    """Seconds from one such frame to the next; AWS API Gateway ends what is idle for 600 s (documented there)."""

    @property
    def ping_frame(self) -> str | None:
        """The ping as the text to send; None where there is none."""
        return None if self.ping is None else dumps(plain(self.ping)).decode()

    def address(self, auth: ConversationAgentAuth, *, allow_insecure: bool = False) -> Address:
        """Where to open the websocket that `auth` is for, and what to present there.

        A `websocket_url` that carries the JWT, percent-encoded or not, stays as it is. Raises `Undecodable` when
        `auth` lacks something or its URL is no websocket's, and `ConfigurationError` when the JWT would travel in the
        clear (`allow_insecure` allows that, this machine may always) or cannot be presented in this way.
        """
        # A frame that raises shows its locals to whoever reports errors with them, so none of those here is secret.
        found = self._address(auth, allow_insecure=allow_insecure)
        if isinstance(found, UltraCartError):
            found.operation = _OPERATION
            raise found
        return found

    def _address(self, auth: ConversationAgentAuth, *, allow_insecure: bool) -> Address | UltraCartError:
        if not auth.jwt or not auth.websocket_url:
            missing = "websocket_url" if auth.jwt else "jwt"
            return Undecodable(f"{_OPERATION}: the reply has no {missing}: is this the key of a user who is an agent?")
        problem = _problem(auth.websocket_url, allow_insecure=allow_insecure)
        return problem or self._presenting(auth.websocket_url, auth.jwt)

    def _presenting(self, url: str, jwt: str) -> Address | UltraCartError:
        if not _carries(url, jwt) and self.token in _IN_HEADERS and not _HEADER_SAFE.fullmatch(jwt):
            return ConfigurationError(f'{_OPERATION}: no {self.token} can carry this JWT: use Dialect(token="query")')
        address = self._carrying(url, jwt)
        if len(address.url) > LONGEST_URL:
            return ConfigurationError(
                f"{_OPERATION}: the websocket's URL has {len(address.url)} characters, and {LONGEST_URL} may be sent: "
                'present the JWT by Dialect(token="header")'
            )
        return address

    def _carrying(self, url: str, jwt: str) -> Address:
        if _carries(url, jwt):
            return Address(url=url, secret=jwt)
        match self.token:
            case "query":
                return Address(url=_with_parameter(url, self.parameter, jwt), secret=jwt)
            case "header":
                return Address(url=url, headers=(("Authorization", f"Bearer {jwt}"),), secret=jwt)
            case "subprotocol":
                return Address(url=url, subprotocols=("jwt", jwt), secret=jwt)


def _problem(url: str, *, allow_insecure: bool) -> UltraCartError | None:
    """What keeps a JWT from being sent to `url`."""
    try:
        parts = urlsplit(url)
        usable = _is_websocket(url, parts)
    except ValueError:
        return Undecodable(f"{_OPERATION}: the reply's websocket_url cannot be read")
    if not usable or parts.hostname is None:
        return Undecodable(f"{_OPERATION}: the reply's websocket_url is not of the form wss://host/path?query")
    if parts.scheme == "ws" and not allow_insecure and not is_loopback(parts.hostname):
        return ConfigurationError(
            f"{_OPERATION}: ws://{parts.hostname} would send the JWT in the clear: pass allow_insecure=True to allow it"
        )
    return None


def _is_websocket(url: str, parts: SplitResult) -> bool:
    plain_text = url.isprintable() and " " not in url and not (set(url) & set('\\"<>'))
    return (
        plain_text and parts.scheme in ("ws", "wss") and parts.port != 0 and "@" not in parts.netloc and "#" not in url
    )


def _carries(url: str, jwt: str) -> bool:
    return any(jwt in text for text in (url, unquote(url), unquote_plus(url)))


def _with_parameter(url: str, name: str, value: str) -> str:
    """`url` with this query parameter, instead of any that it has of the same name; the others stay as they are."""
    path, _, query = url.partition("?")
    others = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) != name]
    ours = "=".join(quote(each, safe="", errors="surrogatepass") for each in (name, value))
    return f"{path}?{'&'.join([*others, ours])}"
