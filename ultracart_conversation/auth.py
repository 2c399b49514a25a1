"""Credentials: who the client speaks for."""

from typing import Protocol

import attrs

from ultracart_conversation.errors import ConfigurationError


@attrs.frozen
class Authorization:
    """The one header that authorizes a request; its value stays out of every `repr`."""

    header: str
    value: str = attrs.field(repr=False)


class Credentials(Protocol):
    """What the pipe asks before a request is sent, and after it was answered with 401."""

    async def authorization(self) -> Authorization:
        """The header to send now."""
        ...

    async def renew(self, rejected: Authorization, /) -> bool:
        """Whether, after `rejected` was answered with 401, another one is worth a try."""
        ...


class ApiKey:
    """A merchant's API key, sent as `x-ultracart-simple-key` (documented)."""

    def __init__(self, key: str) -> None:
        if not key.isascii() or not key.isprintable() or not key.strip():
            raise ConfigurationError("an API key is a line of printable ASCII: check for a stray newline or quote")
        self._authorization = Authorization("x-ultracart-simple-key", key.strip())

    def __repr__(self) -> str:
        return "ApiKey('***')"

    async def authorization(self) -> Authorization:
        """The key, always the same."""
        return self._authorization

    async def renew(self, rejected: Authorization, /) -> bool:
        """A rejected key stays rejected."""
        del rejected
        return False
