"""When a websocket is replaced by a new one, before the service cuts it. Pure."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from math import inf, isfinite
from typing import Any

from ultracart_conversation._wire.json import json_object
from ultracart_conversation.config import Rotation

_LONGEST_LIFETIME = 10 * 365 * 86_400.0
_EARLY = 1.0
"""Seconds by which a cut may seem to come before the expiry, as a JWT counts whole seconds."""
_LATE = 10.0


def lifetime_of(jwt: str | None, *, time: float) -> float | None:
    """Seconds that a JWT issued just now is good for; None when it does not say so. Nothing is verified.

    `time` is the wall clock's and counts only where the token does not say when it was issued, as clocks differ.
    """
    claims = _claims(jwt or "")
    expires, issued = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
    if expires is None:
        return None
    lifetime = expires - (time if issued is None else issued)
    return lifetime if 0.0 < lifetime <= _LONGEST_LIFETIME else None


class Replacement:
    """When, and why, the websocket in use is to be replaced; all times are seconds of one clock."""

    __slots__ = ("_draw", "_enforced", "_rotation", "at", "why")

    def __init__(self, rotation: Rotation, *, draw: Callable[[], float]) -> None:
        self._rotation = rotation
        self._draw = draw
        self._enforced = False
        self.at: float = inf
        self.why: str = ""

    def plan(self, opened: float, *, asked: float, lifetime: float | None) -> None:
        """A websocket was opened, by a token that was asked for before and is good for so many seconds."""
        least, most = self._rotation.earliest, self._rotation.latest
        self.at, self.why = opened + least + self._draw() * (most - least), "it is getting old"
        if lifetime is None or not (self._enforced or lifetime >= self._rotation.enforced):
            return
        # A token of a minute must not have its websocket replaced without end.
        expiry = asked + max(lifetime - self._rotation.before_expiry, lifetime / 2)
        if expiry < self.at:
            self.at, self.why = expiry, "its JWT is about to expire"

    def want(self, now: float, why: str) -> None:
        """It shall be replaced as soon as possible."""
        self.at, self.why = now, why

    def lost(self, now: float, *, asked: float, lifetime: float | None) -> None:
        """The service ended one; when its token expired just then, the next ones are replaced in time."""
        if lifetime is not None and -_EARLY <= now - asked - lifetime <= _LATE:
            self._enforced = True


def _claims(jwt: str) -> dict[str, Any]:
    _, _, rest = jwt.partition(".")
    payload = rest.partition(".")[0]
    try:
        content = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    except ValueError:
        return {}
    return json_object(content) or {}


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = float(value) if abs(value) < 1e15 else inf
    return seconds if isfinite(seconds) else None
