"""The JWT that opens one websocket: HS256, short lived, single use; and how it travels there."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from .clock import Clock
from .identity import MERCHANT_ID, Identity

_HEADER = {"alg": "HS256", "typ": "JWT"}


class InvalidToken(Exception):
    """A token that is forged, expired or already used."""


class Grant(NamedTuple):
    """What a token allows: a socket of this agent (an ARN), until that moment (seconds since 1970)."""

    arn: str
    expires_at: float


@dataclass(slots=True)
class Tokens:
    """Issues and checks agents' tokens.

    Lifetime, single use and the token in the URL are those documented for UltraCart's sibling event stream (inferred
    for conversations). API Gateway checks a token only when a socket opens (documented), hence `enforced` is off.
    """

    clock: Clock
    identity: Identity
    lifetime: float = 300.0
    """Seconds that a token is valid."""
    single_use: bool = True
    """Whether a token opens one connection only."""
    in_url: bool = True
    """Whether `websocket_url` carries the token; when not, the client has to present the `jwt` by itself."""
    parameter: str = "token"
    """The name of the query parameter that carries a token. A bearer header and the subprotocols `jwt, <token>` are
    always understood as well."""
    enforced: bool = False
    """Whether an open socket is closed when its token expires, by the sandbox's clock."""
    expiry_code: int = 1008
    """The code of that close."""
    _secret: bytes = field(init=False, repr=False)
    _used: set[str] = field(default_factory=set[str], repr=False)

    def __post_init__(self) -> None:
        self._secret = self.identity.secret().encode()

    def issue(self, arn: str) -> str:
        now = int(self.clock.now())
        claims = {"iss": "ultracart-sandbox", "sub": arn, "merchant_id": MERCHANT_ID, "iat": now}
        claims |= {"exp": now + int(self.lifetime), "jti": self.identity.request_id()}
        signed = f"{_encode(_HEADER)}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def address(self, url: str, token: str) -> str:
        """`url` with the token on it, if that is how it travels."""
        return f"{url}?{quote(self.parameter)}={token}" if self.in_url else url

    def redeem(self, token: str) -> Grant:
        """What the token allows; InvalidToken when it opens nothing (any more)."""
        claims = self._claims(token)
        if self.clock.now() >= claims["exp"]:
            raise InvalidToken("expired")
        if self.single_use and claims["jti"] in self._used:
            raise InvalidToken("already used")
        self._used.add(claims["jti"])
        return Grant(claims["sub"], claims["exp"])

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed).encode(), signature.encode()):
            raise InvalidToken("not signed by this server")
        claims: dict[str, Any] = json.loads(_decode(signed.partition(".")[2]))
        return claims

    def _sign(self, signed: str) -> str:
        return _unpadded(hmac.digest(self._secret, signed.encode(), hashlib.sha256))


def _encode(part: dict[str, Any]) -> str:
    return _unpadded(json.dumps(part, separators=(",", ":")).encode())


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
