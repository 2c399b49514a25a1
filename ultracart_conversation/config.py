"""Small frozen values that say how client and session behave, and what the environment says."""

import os
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from math import inf
from typing import Any
from urllib.parse import urlsplit

import attrs

from ultracart_conversation.errors import ConfigurationError

BASE_URL = "https://secure.ultracart.com/rest/v2"
"""UltraCart's REST service (documented)."""


def _at_least(other: str) -> "Callable[[Any, attrs.Attribute[float], float], None]":
    def check(instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
        if value < getattr(instance, other):
            raise ValueError(f"{attribute.name} must be at least {other}, {getattr(instance, other)}; got {value}")

    return check


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


@attrs.frozen(kw_only=True)
class Backoff:
    """How soon a session connects again.

    The wait after the n-th failure in a row is drawn evenly from 0 to `initial * 2**(n-1)` seconds, at most `ceiling`
    (full jitter). A service that accepts and hangs up is not asked more than `connections` times in `per` seconds.
    """

    initial: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))
    ceiling: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))
    stable: float = attrs.field(default=30.0, validator=attrs.validators.ge(0))
    """Seconds that a connection must live before the failures in a row are forgotten."""
    connections: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    per: float = attrs.field(default=600.0, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class Heartbeat:
    """How a session notices that nobody is there any more; only what is received counts as life."""

    interval: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))
    """Seconds of silence after which the websocket is pinged."""
    timeout: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))
    """Seconds of silence after a ping until the connection is given up."""


@attrs.frozen(kw_only=True)
class Rotation:
    """When a session replaces its websocket by a new one, before the gateway cuts it after 2 hours (inferred)."""

    earliest: float = attrs.field(default=6_000.0, validator=attrs.validators.gt(0))
    latest: float = attrs.field(default=6_720.0, validator=_at_least("earliest"))
    """Seconds of life after which it is replaced, drawn evenly from `earliest` to `latest`."""
    before_expiry: float = attrs.field(default=60.0, validator=attrs.validators.ge(0))
    """Seconds before the JWT's `exp` at which it is replaced at the latest, where the lifetime is `enforced`."""
    enforced: float = attrs.field(default=900.0, validator=attrs.validators.ge(0))
    """A token of a shorter lifetime in seconds is taken for one that only opens the connection (inferred)."""


@attrs.frozen(kw_only=True)
class Sweeping:
    """How often a session compares what it was pushed with what the service has."""

    interval: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))
    """Seconds from one sweep to the next, give or take `jitter`."""
    jitter: float = attrs.field(default=0.2, validator=[attrs.validators.ge(0), attrs.validators.lt(1)])
    settle: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    """Seconds after a change at which the conversation is read once more."""
    grace: float = attrs.field(default=2.0, validator=attrs.validators.ge(0))
    """Seconds that a whole message may come later than the summary that announces it."""


@attrs.frozen(kw_only=True)
class Buffering:
    """How many events wait for whoever reads them, and how long a session waits for a reader."""

    maxsize: int = attrs.field(default=1_000, validator=attrs.validators.ge(1))
    patience: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    """Seconds after which the websocket is closed because no reader takes anything any more."""


@attrs.frozen(kw_only=True)
class Sending:
    """How much may wait to be sent, and how long a session waits to learn what became of it."""

    messages: int = attrs.field(default=1_000, validator=attrs.validators.ge(1))
    size: int = attrs.field(default=4 * 1024 * 1024, validator=attrs.validators.ge(1))
    """Bytes of all frames that wait."""
    echo: float = attrs.field(default=5.0, validator=attrs.validators.gt(0))
    """Seconds until a message that was not echoed is looked for by REST."""
    unknown: float = attrs.field(default=90.0, validator=attrs.validators.gt(0))
    """Seconds after it was written at which a message that was not found is `Unknown`."""
    typing: float = attrs.field(default=3.0, validator=attrs.validators.ge(0))
    """Seconds between two typing frames of one conversation."""


@attrs.frozen(kw_only=True)
class Adaptive:
    """How often a poller looks: as often as a share of the daily limit allows, and not more often than needed.

    What was not spent in the last 8 hours may be spent at once, so that a busy hour is followed as closely as a quiet
    one.
    """

    shortest: float = attrs.field(default=20.0, validator=attrs.validators.gt(0))
    """Seconds between two looks at least."""
    longest: float = attrs.field(default=300.0, validator=[_at_least("shortest"), attrs.validators.lt(inf)])
    """Seconds between two looks at most; also while an attached session is live, as it tells what happens."""
    share: float = attrs.field(default=0.3, validator=[attrs.validators.gt(0), attrs.validators.le(1)])
    """Of the requests that the limits allow in a day, those that following what is new may take."""


@attrs.frozen(kw_only=True)
class Audit:
    """How a poller finds what no list shows: edits, removals, and messages that came very late.

    Without an archive it finds only what happens to messages that this process read, or that were two minutes old or
    younger where the checkpoint was made. A `run_once` reads each conversation again once at most.
    """

    window: float = attrs.field(default=7 * 86_400.0, validator=attrs.validators.gt(0))
    """Seconds back from now; what was said before is not read again."""
    every: float = attrs.field(default=600.0, validator=attrs.validators.gt(0))
    """Seconds from one conversation that is read again to the next; each takes a request."""
    rest: float = attrs.field(default=6 * 3600.0, validator=attrs.validators.ge(0))
    """Seconds until the same conversation's turn comes again at the earliest."""


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
            f"http://{parts.hostname} would send the API key in the clear: use https (in code: or allow_insecure=True)"
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
