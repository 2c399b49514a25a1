"""`kill -9` at any moment, again and again, while customers go on writing."""

import time
from pathlib import Path
from random import Random
from signal import SIGKILL

import pytest

from tests.live.kills.consumer import Consumer
from tests.live.kills.marks import Mark
from tests.live.kills.moments import seconds
from tests.live.kills.plan import ROUND, rounds
from tests.live.kills.town import Town
from tests.live.kills.verdict import assert_complete, assert_consistent
from tests.live.kills.victims import ForkServer
from tests.live.sync_command import stored
from ultracart_conversation.sandbox import Sandbox

_SHORTEST, _LONGEST = 0.005, 0.4
"""Seconds that a process lives."""
_STATEMENTS = 150
"""A process executes about so many while it reads what happened between two kills."""


class Killer:
    """Lets one `sync` after the other begin, and ends each by a signal 9."""

    def __init__(self, server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, *, seed: int) -> None:
        self.kills = 0
        self._server = server
        self._sandbox = sandbox
        self._archive = archive
        self._town = town
        self._chance = Random(seed)

    def kill(self) -> None:
        """Once."""
        self._town.live(self._chance.randint(0, 4))
        if self._chance.random() < 0.5:
            self._at_a_statement()
        else:
            self._at_a_time()
        self.kills += 1

    def _at_a_statement(self) -> None:
        """However fast this machine is."""
        mark = Mark(
            part="all",
            statement=self._chance.randint(1, _STATEMENTS),
            edge=self._chance.choice(("before", "during", "after")),
            delay=seconds(self._chance, 0.00002, 0.005),
        )
        victim = self._server.sync(self._sandbox, self._archive, "--follow", "0.05", mark=mark)
        self._town.live(1)
        assert victim.ended() == -SIGKILL, victim.errors

    def _at_a_time(self) -> None:
        victim = self._server.sync(self._sandbox, self._archive, "--follow", "0.05")
        rest = seconds(self._chance, _SHORTEST, _LONGEST) / 3
        time.sleep(rest)
        self._town.live(self._chance.randint(0, 2))
        time.sleep(rest)
        if self._chance.random() < 0.3:
            victim.stop()
            self._town.live(1)
            if self._chance.random() < 0.7:
                victim.resume()
        time.sleep(rest)
        victim.kill()
        assert victim.ended() == -SIGKILL, victim.errors


@pytest.mark.parametrize("seed", rounds("alone"))
def test_nothing_is_lost_or_twice(server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, seed: int) -> None:
    killer = Killer(server, sandbox, archive, town, seed=seed)
    while killer.kills < ROUND:
        killer.kill()
        if archive.exists():
            assert_consistent(archive)
    server.finish(sandbox, archive)
    assert_complete(archive, sandbox)
    assert killer.kills == ROUND


@pytest.mark.parametrize("seed", rounds("read"))
def test_a_consumer_sees_everything_once(
    server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, seed: int
) -> None:
    killer = Killer(server, sandbox, archive, town, seed=1_000 + seed)
    with Consumer(archive, seed=seed) as consumer:
        while killer.kills < ROUND:
            killer.kill()
        server.finish(sandbox, archive)
        seen = consumer.finish()
    assert_complete(archive, sandbox)
    assert [change.seq for change in seen] == list(range(1, len(seen) + 1))
    told = [change.conversation_message_uuid for change in seen if change.kind == "message"]
    assert len(told) == len(set(told))
    here = {uuid for _, uuid, _ in stored(sandbox)}
    assert here <= set(told) <= here | town.removed
    assert killer.kills == ROUND
