"""Two processes that fight for one archive: whoever came last writes, and the other one writes nothing more."""

import time
from pathlib import Path
from random import Random
from signal import SIGKILL

import pytest

from tests.live.kills import witness
from tests.live.kills.moments import seconds
from tests.live.kills.plan import ROUND, rounds
from tests.live.kills.town import Town
from tests.live.kills.verdict import assert_complete, assert_consistent
from tests.live.kills.victims import TAKEN_OVER, ForkServer, Victim, until
from ultracart_conversation.sandbox import Sandbox


class Fight:
    """Two that follow; whoever ends is replaced."""

    def __init__(self, server: ForkServer, sandbox: Sandbox, archive: Path) -> None:
        self.kills = 0
        self.fenced = 0
        self._server = server
        self._sandbox = sandbox
        self._archive = archive
        self.pair = [self._start(), self._start()]

    def replace(self) -> None:
        """Start again whoever was fenced off, and nobody ends otherwise."""
        for place, victim in enumerate(self.pair):
            if victim.code() is not None:
                self.bury(victim)
                self.pair[place] = self._start()

    def kill(self, victim: Victim) -> None:
        """Unless it was fenced off meanwhile."""
        victim.kill()
        self.bury(victim)
        self.pair[self.pair.index(victim)] = self._start()

    def bury(self, victim: Victim) -> None:
        """One that has ended, or is about to: how that was."""
        if victim.ended() == -SIGKILL:
            self.kills += 1
        else:
            assert victim.ended() == 1, victim.errors
            assert TAKEN_OVER in victim.errors
            self.fenced += 1

    def _start(self) -> Victim:
        return self._server.sync(self._sandbox, self._archive, "--follow", "0.05")


@pytest.mark.parametrize("seed", rounds("contested"))
def test_only_the_last_one_writes(server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, seed: int) -> None:
    server.finish(sandbox, archive)
    witness.prepare(archive)
    chance, fight = Random(seed), Fight(server, sandbox, archive)
    while fight.kills < ROUND - 1:
        town.live(chance.randint(0, 3))
        time.sleep(seconds(chance, 0.005, 0.15))
        fight.replace()
        victim = chance.choice(fight.pair)
        if chance.random() < 0.4:
            victim.stop()
            town.live(1)
            time.sleep(seconds(chance, 0.005, 0.1))
            victim.resume()
        else:
            fight.kill(victim)
        assert_no_fenced_write(archive)
    last_one_standing(fight, town)
    server.finish(sandbox, archive)
    assert_complete(archive, sandbox)
    assert_no_fenced_write(archive)
    assert witness.writers(archive)
    assert fight.fenced
    assert fight.kills >= ROUND


def assert_no_fenced_write(archive: Path) -> None:
    assert_consistent(archive, in_use=True)
    assert witness.fenced_writes(archive) == []


def last_one_standing(fight: Fight, town: Town) -> None:
    """Of two that are left to themselves while something happens, one ends; then the other one is killed."""
    for victim in fight.pair:
        until(lambda victim=victim: "goes on" in victim.output or victim.code() is not None, "the claim")  # type: ignore[misc]
    town.live(1)
    until(lambda: any(victim.code() is not None for victim in fight.pair), "the end of one of two")
    for victim in fight.pair:
        victim.kill()
        fight.bury(victim)
