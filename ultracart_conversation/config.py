"""Small frozen values that say how the client behaves, and what the environment says."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import attrs

from ultracart_conversation.errors import ConfigurationError

BASE_URL = "https://secure.ultracart.com/rest/v2"
"""UltraCart's REST service (documented)."""


@attrs.frozen(kw_only=True)
class Timeouts:
    """Seconds that one step of an exchange may take."""

    connect: float = attrs.field(default=5.0, validator=attrs.validators.gt(0))
    read: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    """The longest silence between two parts of a reply."""
    write: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    total: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    """From sending a request to the end of its reply; checked whenever a part of the reply comes."""


@attrs.frozen(kw_only=True)
class Retry:
    """How often and how soon a failed exchange is repeated.

    The wait before attempt n+1 is drawn evenly from 0 to `initial * 2**(n-1)` seconds, at most `ceiling` (full jitter).
    """

    attempts: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    """In all, the first one included; 1 switches retries off."""
    initial: float = attrs.field(default=0.5, validator=attrs.validators.ge(0))
    ceiling: float = attrs.field(default=30.0, validator=attrs.validators.ge(0))
    share: float = attrs.field(default=0.1, validator=attrs.validators.ge(0))
    """How many of a client's requests may be repetitions in the long run, after the first 10 of them."""


def api_key_from_env(environment: Mapping[str, str] = os.environ) -> str:
    """`ULTRACART_API_KEY`; raises `ConfigurationError` when it is missing."""
    key = environment.get("ULTRACART_API_KEY", "").strip()
    if not key:
        raise ConfigurationError(
            "no UltraCart API key: pass ConversationClient(api_key) or set the environment variable ULTRACART_API_KEY"
        )
    return key


def base_url_from_env(environment: Mapping[str, str] = os.environ) -> str:
    """`ULTRACART_BASE_URL`, or UltraCart's own."""
    return environment.get("ULTRACART_BASE_URL", "").strip() or BASE_URL


def checked_base_url(url: str, *, allow_insecure: bool) -> str:
    """`url` without a trailing slash; raises `ConfigurationError` unless a key may be sent there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(f"the base URL must look like {BASE_URL}, not {_without_userinfo(url)!r}")
    if parts.username or parts.password:
        raise ConfigurationError("the base URL must not carry a user name or password: pass the API key instead")
    if parts.scheme == "http" and not allow_insecure and not is_loopback(parts.hostname):
        raise ConfigurationError(
            f"http://{parts.hostname} would send the API key in the clear: use https, or pass allow_insecure=True"
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _without_userinfo(url: str) -> str:
    return url.rpartition("@")[2].partition("?")[0]
