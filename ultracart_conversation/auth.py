"""Credentials: who the client speaks for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import attrs

from ultracart_conversation.errors import ConfigurationError

T = TypeVar("T")
_PUBLIC = frozenset({"client_id", "grant_type", "redirect_uri", "scope"})


@attrs.frozen
class Authorization:
    """The one header that authorizes a request; its value stays out of every `repr`."""

    header: str
    value: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class OAuthForm:
    """What is posted to the OAuth server; the values stay out of every `repr`."""

    operation: str
    path: str
    """Below the base URL, such as `/oauth/token`."""
    fields: Mapping[str, str] = attrs.field(repr=False)
    repeatable: bool = False
    """Whether posting it twice does no more harm than posting it once."""
    check: str = ""
    """For one that is not repeatable: what to do when its reply is lost."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that nobody may see."""
        return tuple(value for name, value in self.fields.items() if value and name not in _PUBLIC)

    def encode(self) -> bytes:
        """The request's body."""
        return urlencode(self.fields).encode("ascii")


class Pipe(Protocol):
    """What credentials may use of the client that they serve."""

    async def post(self, form: OAuthForm, returns: type[T], /) -> T:
        """Post a form below the base URL: within the budget, retried and judged, but without an authorization."""
        ...

    def detach(self, work: Callable[[], Awaitable[None]], /) -> None:
        """Start `work`, which must not raise, out of reach of the caller's cancellation.

        The client waits a moment for its end when it closes.
        """
        ...


class Credentials(Protocol):
    """What the pipe asks before a request is sent, when it may be sent, and after it was answered with 401."""

    async def prepare(self, pipe: Pipe, /) -> None:
        """Make sure that `current` has something worth sending; no room in the budget is held meanwhile."""
        ...

    def current(self) -> Authorization | None:
        """The header to send right now; None when it was rejected since, which leads back to `prepare`."""
        ...

    def reject(self, authorization: Authorization, /) -> bool:
        """Take note that this was answered with 401; whether another one may be had."""
        ...


class ApiKey:
    """A merchant's API key, sent as `x-ultracart-simple-key` (documented)."""

    def __init__(self, key: str) -> None:
        if not key.isascii() or not key.isprintable() or not key.strip():
            raise ConfigurationError("an API key is a line of printable ASCII: check for a stray newline or quote")
        self._authorization = Authorization("x-ultracart-simple-key", key.strip())

    def __repr__(self) -> str:
        return "ApiKey('***')"

    async def prepare(self, pipe: Pipe, /) -> None:
        """A key is always ready."""

    def current(self) -> Authorization:
        """The key, always the same."""
        return self._authorization

    def reject(self, authorization: Authorization, /) -> bool:
        """A rejected key stays rejected."""
        del authorization
        return False
