"""How many processes are to be killed: 200, or as many as the environment variable KILLS says."""

import os

KILLS = max(200, int(os.environ.get("KILLS", "200")))
ROUND = 20
"""Kills on one archive, at random moments."""
MARKED = {
    "making": 39, "claim": 8, "rows": 10, "messages": 14, "within rows": 9, "within messages": 12, "elsewhere": 14
}  # fmt: skip
"""Kills at marked points, at least; how many there are depends on the statements that are executed."""
FRESH = 10
"""Kills of processes that were not forked."""
_SHARES = {"alone": 0.5, "read": 0.25, "contested": 0.25}


def rounds(kind: str) -> range:
    """The seeds of the rounds of a kind."""
    left = KILLS - sum(MARKED.values()) - FRESH
    return range(-(-int(left * _SHARES[kind] + 0.5) // ROUND))


def planned() -> int:
    """All of it."""
    return sum(MARKED.values()) + FRESH + ROUND * sum(len(rounds(kind)) for kind in _SHARES)
