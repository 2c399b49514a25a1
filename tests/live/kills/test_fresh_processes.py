"""`kill -9` of the command as a user starts it, with nothing in its process that belongs to a test."""

import time
from pathlib import Path
from random import Random
from signal import SIGKILL
from threading import Timer

from tests.live.kills.at_request import at_request
from tests.live.kills.plan import FRESH
from tests.live.kills.town import Town
from tests.live.kills.verdict import assert_complete, assert_consistent
from tests.live.kills.victims import FreshVictim
from tests.live.sync_command import ended
from ultracart_conversation.sandbox import Sandbox

_PER_DAY = 10_000
_REQUESTS = 10
_LATER = 0.03
"""Seconds from a request within which its reply is read and kept."""


def test_nothing_is_lost_or_twice(sandbox: Sandbox, archive: Path, town: Town) -> None:
    chance, began = Random(0), time.monotonic()
    for _ in range(FRESH):
        town.live(2)
        actions = at_request(sandbox, chance.randint(1, _REQUESTS))
        victim = FreshVictim(sandbox, archive, "--follow", "0.05")
        timer = Timer(chance.uniform(0, _LATER), victim.kill)
        actions.put(timer.start)
        assert victim.ended() == -SIGKILL
        assert_consistent(archive)
    sandbox.on_request = None
    last = ended(sandbox, archive)
    assert_complete(archive, sandbox)
    # Whoever is killed has not forgotten what it asked for: the limits hold as if it had been one process.
    regained = (time.monotonic() - began) * _PER_DAY / 86_400
    assert last["requests_left_24_h"] <= _PER_DAY - sandbox.request_counts.total() + regained + 1
