"""Reading messages: the 12 personalities, page caps, counts and epochs."""

import pytest

from tests.live.sandbox.strangers import Rest, Webchat
from ultracart_conversation.sandbox import PERSONALITIES, Clock, Personality, Sandbox

EPOCHS = [1000, 2000, 3000, 3000, 4000, 5000]


@pytest.fixture
def thread(sandbox: Sandbox) -> str:
    """A conversation whose messages have exactly these epochs, after its first one."""
    customer = sandbox.text("hello")
    for epoch in EPOCHS:
        customer.write(f"at {epoch}", epoch=2_000_000_000_000 + epoch)
    return customer.conversation_uuid


def expected(personality: Personality, *, since: int, limit: int) -> list[int]:
    """Written out without the code under test."""
    kept = [e for e in EPOCHS if (e >= since if personality.since == "inclusive" else e > since)]
    match personality.keeps:
        case "oldest":
            return kept[:limit]
        case "newest ascending":
            return kept[-limit:]
        case _:
            return kept[-limit:][::-1]


@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
@pytest.mark.parametrize(("since", "limit"), [(1, 100), (3000, 100), (1, 2), (3000, 2), (2000, 3), (5000, 1)])
def test_each_personality_cuts_and_orders_in_its_own_way(
    sandbox: Sandbox, rest: Rest, thread: str, personality: Personality, since: int, limit: int
) -> None:
    sandbox.personality = personality
    page = rest.messages(thread, 2_000_000_000_000 + since, limit=limit)
    epochs = [message["message_epoch"] - 2_000_000_000_000 for message in page]
    assert epochs == expected(personality, since=since, limit=limit)


def test_there_are_twelve_personalities() -> None:
    assert len(set(PERSONALITIES)) == 12


@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
def test_the_count_is_true_or_not(sandbox: Sandbox, rest: Rest, webchat: Webchat, personality: Personality) -> None:
    sandbox.personality = personality
    uuid, customer = webchat
    rest.delete(f"/conversations/{uuid}/leave")
    for number in range(30):
        customer.write(str(number))
    true_count = len(rest.conversation(uuid)["messages"])
    assert true_count == 32
    assert (rest.conversation(uuid)["message_count"] == true_count) is personality.counts_messages


def test_a_page_cap_outranks_the_limit(sandbox: Sandbox, rest: Rest, thread: str) -> None:
    sandbox.personality = Personality(page_cap=2)
    assert len(rest.messages(thread, 0, limit=100)) == 2
    assert len(rest.messages(thread, 0)) == 2
    assert len(rest.messages(thread, 0, limit=1)) == 1


def test_a_page_holds_100_by_default(sandbox: Sandbox, rest: Rest) -> None:
    customer = sandbox.text("0")
    for number in range(1, 130):
        customer.write(str(number))
    assert len(rest.messages(customer.conversation_uuid)) == 100
    assert len(rest.messages(customer.conversation_uuid, limit=130)) == 130


def test_get_conversation_embeds_the_most_recent(rest: Rest, thread: str) -> None:
    whole = rest.conversation(thread)["messages"]
    assert len(whole) == 7
    assert rest.conversation(thread, limit=3)["messages"] == whole[-3:]


@pytest.mark.parametrize("path", ["/messages/x", "/messages/0?limit=0", "/messages/0?limit=x", "?limit=-1"])
def test_impossible_reads_are_400(rest: Rest, thread: str, path: str) -> None:
    assert rest.http.get(f"/conversations/{thread}{path}").status_code == 400


def test_epochs_increase_while_the_clock_stands(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    customer = sandbox.text("a")
    for body in "bcd":
        customer.write(body)
    epochs = [message["message_epoch"] for message in rest.messages(customer.conversation_uuid)]
    assert epochs == list(range(clock.epoch_ms(), clock.epoch_ms() + 4))


def test_epochs_may_be_shared(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.personality = Personality(shares_epochs=True)
    customer = sandbox.text("a")
    for _ in range(3):
        clock.advance(0.4)
        customer.write("b")
    epochs = [message["message_epoch"] for message in rest.messages(customer.conversation_uuid)]
    assert [epoch - epochs[0] for epoch in epochs] == [0, 0, 0, 1000]
