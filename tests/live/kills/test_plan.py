"""How much is proven."""

from tests.live.kills.plan import KILLS, planned


def test_as_many_are_killed_as_were_asked_for() -> None:
    assert planned() >= KILLS >= 200
