"""How soon to look again. Pure: times are those of any clock that never goes back."""

from ultracart_conversation.config import Adaptive

_DAY = 86_400.0
_SAVED = 8 * 3_600.0
"""For so many seconds what was not spent is saved, as customers sleep at night."""
_SHORT, _AMPLE = 0.25, 0.9
"""Shares of what can be saved."""


class Pace:
    """Spends a share of the daily limit evenly: what was saved makes looks more frequent, what was overspent rarer."""

    def __init__(self, interval: float | Adaptive, *, per_day: int | None, now: float) -> None:
        self._interval = interval
        self._rate = 0.0 if per_day is None or not isinstance(interval, Adaptive) else per_day * interval.share / _DAY
        self._most = self._rate * _SAVED
        self._saved = self._most / 4
        self._at = now

    def spent(self, requests: int, *, now: float) -> None:
        """So many requests were made for what is new."""
        self._saved = min(self._most, self._saved + (now - self._at) * self._rate) - requests
        self._at = now

    def interval(self, *, told: bool) -> float:
        """Seconds until the next look; `told` is whether somebody else tells what happens meanwhile."""
        if not isinstance(self._interval, Adaptive):
            return self._interval
        if told or (self._rate and self._saved <= 0):
            return self._interval.longest
        if not self._rate:
            return self._interval.shortest
        calm, full = 2 / self._rate, self._saved / self._most
        if full < _SHORT:
            even = calm * _SHORT / full
        else:
            # Half of what comes in is for reading; only of what could not be saved anyway looks are made more often.
            even = calm - (calm - self._interval.shortest) * max(0.0, full - _AMPLE) / (1 - _AMPLE)
        return min(self._interval.longest, max(self._interval.shortest, even))
