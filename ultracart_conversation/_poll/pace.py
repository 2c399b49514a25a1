"""How soon to look again. Pure: times are those of any clock that never goes back."""

from ultracart_conversation.config import Adaptive

_DAY, _HOUR = 86_400.0, 3_600.0


class Pace:
    """Spends a share of the daily limit evenly: what was saved makes looks more frequent, what was overspent rarer."""

    def __init__(self, interval: float | Adaptive, *, per_day: int | None, now: float) -> None:
        self._interval = interval
        self._rate = 0.0 if per_day is None or not isinstance(interval, Adaptive) else per_day * interval.share / _DAY
        self._most = self._rate * _HOUR
        self._saved = self._most
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
        # One look at a time of `1 / rate` costs what comes in; with half of the savings there it is at that.
        even = 1 / self._rate * (self._most / 2) / self._saved
        return min(self._interval.longest, max(self._interval.shortest, even))
