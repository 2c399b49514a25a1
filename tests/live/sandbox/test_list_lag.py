"""The list may lag alone, behind what can be read already."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.live.sandbox.simulated import Stranger
from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import Clock, Personality, Sandbox, Simulation


def test_a_message_is_read_at_once_and_its_row_changes_later(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    rows = rest.summaries()
    last = rows[-1]["conversation_uuid"]
    sandbox.list_lag = 30
    sandbox.customer(last).write("me again")
    assert rest.messages(last, limit=200)[-1]["body"] == "me again"
    assert rest.conversation(last)["last_conversation_message_body"] == "me again"
    clock.advance(29.9)
    assert rest.summaries() == rows
    clock.advance(0.1)
    assert rest.summaries()[0]["last_conversation_message_body"] == "me again"


def test_a_new_conversation_is_read_before_it_is_listed(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    rows = rest.summaries()
    sandbox.list_lag = 30
    uuid = sandbox.text("hello").conversation_uuid
    assert rest.summaries() == rows
    assert [said["body"] for said in rest.messages(uuid)] == ["hello"]
    clock.advance(30)
    assert rest.summaries()[0]["conversation_uuid"] == uuid


@pytest.mark.parametrize(("lag", "list_lag", "read_after", "listed_after"), [(5, 20, 5, 20), (20, 5, 20, 20)])
def test_the_list_lags_at_least_as_all_else(
    sandbox: Sandbox, rest: Rest, clock: Clock, lag: float, list_lag: float, read_after: float, listed_after: float
) -> None:
    uuid = sandbox.text("old").conversation_uuid
    sandbox.lag, sandbox.list_lag = lag, list_lag
    sandbox.customer(uuid).write("new")
    for second in range(25):
        read = rest.messages(uuid)[-1]["body"], rest.summaries()[0]["last_conversation_message_body"]
        assert read == ("new" if second >= read_after else "old", "new" if second >= listed_after else "old")
        clock.advance(1)


def test_a_list_cannot_be_ahead(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="negative"):
        sandbox.list_lag = -1


class Twins:
    """Two simulations in which the same happens; the list of one of them lags by 10 seconds."""

    def __init__(self, seed: int, personality: Personality) -> None:
        self.chance = Random(seed)
        self.prompt = Simulation(seed=seed, conversations=8, personality=personality)
        self.late = Simulation(seed=seed, conversations=8, personality=personality)
        self.late.list_lag = 10
        self.hidden: list[str] = []

    def both(self, act: Callable[[Simulation], object]) -> None:
        act(self.prompt)
        act(self.late)

    def do_something(self) -> None:
        uuids = self.prompt.conversation_uuids
        uuid = self.chance.choice(uuids)
        said = self.prompt.snapshot(uuid)["messages"]
        message = said[-1]["conversation_message_uuid"] if said else None
        match self.chance.randrange(9):
            case 0 | 1:
                self.both(lambda it: it.customer(uuid).write("x"))
            case 4 if message:
                self.both(lambda it: it.records.remove_message(uuid, message))
            case 5 if message:
                self.both(lambda it: it.records.edit_message(uuid, message, "edited"))
            case 6 if len(uuids) > 4:
                self.hidden.append(uuid)
                self.both(lambda it: it.records.hide(uuid))
            case 7 if self.hidden:
                again = self.hidden.pop()
                self.both(lambda it: it.records.show(again))
            case 8 if len(uuids) > 4:
                self.both(lambda it: it.records.remove(uuid))
            case _:
                self.both(lambda it: it.text("new"))

    def wait(self) -> None:
        seconds = self.chance.choice([0, 1, 4, 10])
        self.both(lambda it: it.clock.advance(seconds))


@pytest.mark.anyio
@pytest.mark.parametrize("sorts_by", ["last interactive", "last message"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_late_list_is_what_the_list_was(seed: int, sorts_by: Any) -> None:
    twins = Twins(seed, Personality(sorts_by=sorts_by))
    prompt, late = Stranger(twins.prompt), Stranger(twins.late)
    history = [(0.0, await prompt.get("/conversations"))]
    for _ in range(120):
        twins.do_something()
        history.append((twins.prompt.clock.now(), await prompt.get("/conversations")))
        twins.wait()
        then = twins.prompt.clock.now() - 10
        assert await late.get("/conversations") == next(rows for at, rows in reversed(history) if at <= then)
