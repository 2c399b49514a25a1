"""Lists that move and pages that are cut: everything is there, once, in order, or the caller is told."""

from collections.abc import Generator
from datetime import UTC, datetime

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracart_conversation import ConfigurationError, ConversationClient, IncompleteRead, Limits
from ultracart_conversation.sandbox import PERSONALITIES, Personality, Sandbox

pytestmark = pytest.mark.anyio


@pytest.mark.ultracart_sandbox(conversations=57)
@pytest.mark.parametrize("limit", [1, 10, 11, 25, 57, 200])
async def test_every_conversation_once(client: ConversationClient, ultracart_sandbox: Sandbox, limit: int) -> None:
    found = [summary.conversation_uuid async for summary in client.iter_conversations(limit=limit)]
    assert found == ultracart_sandbox.conversation_uuids


@pytest.mark.ultracart_sandbox(conversations=60)
async def test_a_list_that_moves_while_it_is_read(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    expected = set(ultracart_sandbox.conversation_uuids)
    found: list[str | None] = []
    async for summary in client.iter_conversations(limit=20):
        found.append(summary.conversation_uuid)
        if len(found) % 7 == 0:
            # The oldest row moves to the top, past the reader, and another one appears there.
            ultracart_sandbox.customer(ultracart_sandbox.conversation_uuids[-1]).write("still there?")
        if len(found) == 30:
            ultracart_sandbox.text("a new conversation")
    assert len(found) == len(set(found))
    assert expected <= set(found)


async def test_the_medium_is_passed_on(client: ConversationClient) -> None:
    media = {summary.medium async for summary in client.iter_conversations(medium="sms")}
    assert media == {"sms"}


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_page_has_at_most_200_rows(client: ConversationClient, limit: int) -> None:
    with pytest.raises(ConfigurationError, match="from 1 to 200"):
        await anext(client.iter_conversations(limit=limit))
    with pytest.raises(ConfigurationError, match="from 2 to 200"):
        await anext(client.iter_messages("uuid", limit=limit))


async def test_since_needs_a_zone(client: ConversationClient) -> None:
    with pytest.raises(ConfigurationError, match="no offset"):
        await anext(client.iter_messages("uuid", since=datetime(2026, 1, 1)))


def talk(sandbox: Sandbox, count: int) -> tuple[str, list[tuple[int, str]]]:
    """A conversation of `count` messages; their epochs and uuids as the server has them, in order."""
    customer = sandbox.text("0")
    for number in range(1, count):
        customer.write(str(number))
    uuid = str(customer.conversation_uuid)
    messages = sandbox.snapshot(uuid)["messages"]
    return uuid, sorted((m["message_epoch"], m["conversation_message_uuid"]) for m in messages)


@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
@pytest.mark.parametrize(("count", "limit"), [(1, 2), (3, 200), (30, 7), (30, 30), (31, 30)])
async def test_every_message_once_and_in_order_on_every_personality(
    client: ConversationClient, ultracart_sandbox: Sandbox, personality: Personality, count: int, limit: int
) -> None:
    ultracart_sandbox.personality = personality
    uuid, messages = talk(ultracart_sandbox, count)
    for since in (0, messages[0][0], messages[count // 2][0], messages[-1][0], messages[-1][0] + 1):
        expected = [message for message in messages if message[0] >= since]
        try:
            found = [
                (message.message_epoch, message.conversation_message_uuid)
                async for message in client.iter_messages(uuid, since=since, limit=limit)
            ]
        except IncompleteRead:
            # A server that keeps the newest and cannot count may leave nothing to prove completeness with.
            assert personality.keeps != "oldest"
            assert not personality.counts_messages
        else:
            assert found == expected


async def test_messages_since_a_moment(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    uuid, messages = talk(ultracart_sandbox, 5)
    moment = datetime.fromtimestamp(messages[3][0] / 1000, UTC)
    found = [m.conversation_message_uuid async for m in client.iter_messages(uuid, since=moment)]
    assert found == [message_uuid for _, message_uuid in messages[3:]]


async def test_what_was_learned_saves_requests(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    long, _ = talk(ultracart_sandbox, 20)
    short, _ = talk(ultracart_sandbox, 3)
    assert len([m async for m in client.iter_messages(long)]) == 20
    ultracart_sandbox.requests.clear()
    assert len([m async for m in client.iter_messages(short)]) == 3
    assert len(ultracart_sandbox.requests) == 1


@pytest.mark.parametrize("keeps", ["newest ascending", "newest descending"])
async def test_a_hole_is_never_silent(client: ConversationClient, ultracart_sandbox: Sandbox, keeps: str) -> None:
    ultracart_sandbox.personality = Personality(keeps=keeps, counts_messages=False, page_cap=10)  # type: ignore[arg-type]
    uuid, _ = talk(ultracart_sandbox, 45)
    with pytest.raises(IncompleteRead, match=f"{uuid}: the service gives its newest"):
        [m async for m in client.iter_messages(uuid, limit=10)]


@pytest.fixture(scope="module")
def empty_sandbox() -> Generator[Sandbox]:
    with Sandbox(conversations=0, customers=0) as sandbox:
        yield sandbox


@settings(max_examples=200, deadline=None)
@given(
    personality=st.builds(
        Personality,
        since=st.sampled_from(["inclusive", "exclusive"]),
        keeps=st.sampled_from(["oldest", "newest ascending", "newest descending"]),
        counts_messages=st.booleans(),
        page_cap=st.none() | st.integers(2, 12),
        shares_epochs=st.booleans(),
    ),
    count=st.integers(1, 25),
    limit=st.integers(2, 14),
    start=st.integers(0, 25),
)
def test_whatever_the_servers_habits(
    empty_sandbox: Sandbox, personality: Personality, count: int, limit: int, start: int
) -> None:
    empty_sandbox.personality = personality
    uuid, messages = talk(empty_sandbox, count)
    since = messages[start][0] if start < count else 0

    async def read() -> list[tuple[int | None, str | None]]:
        key, url = empty_sandbox.api_key, empty_sandbox.base_url
        async with ConversationClient(key, base_url=url, limits=Limits.unlimited()) as client:
            pages = client.iter_messages(uuid, since=since, limit=limit)
            return [(message.message_epoch, message.conversation_message_uuid) async for message in pages]

    try:
        found = anyio.run(read)
    except IncompleteRead:
        assert personality.keeps != "oldest" or personality.shares_epochs
    else:
        assert found == [message for message in messages if message[0] >= since]
