"""REST may lag behind what is pushed."""

import pytest

from tests.live.sandbox.strangers import OpenSocket, Rest, Webchat
from ultracart_conversation.sandbox import Clock, Personality, Sandbox


def bodies(rest: Rest, uuid: str) -> list[str]:
    return [said["body"] for said in rest.messages(uuid)]


def test_a_message_is_pushed_at_once_and_read_later(
    sandbox: Sandbox, rest: Rest, clock: Clock, webchat: Webchat, open_socket: OpenSocket
) -> None:
    uuid, customer = webchat
    before = rest.summaries()[0], rest.conversation(uuid)
    sandbox.lag = 2.5
    socket = open_socket()
    clock.advance(60)
    customer.write("late")
    assert socket.next()["message"]["body"] == "late"
    assert socket.next()["event_new_message"]["last_conversation_message_body"] == "late"
    clock.advance(2.4)
    assert bodies(rest, uuid) == ["Is anybody there?"]
    assert (rest.summaries()[0], rest.conversation(uuid)) == before
    clock.advance(0.1)
    assert bodies(rest, uuid) == ["Is anybody there?", "late"]
    assert rest.summaries()[0]["last_conversation_message_body"] == "late"
    assert rest.conversation(uuid)["message_count"] == 2


def test_messages_appear_one_by_one(sandbox: Sandbox, rest: Rest, clock: Clock, webchat: Webchat) -> None:
    sandbox.lag = 10
    for body in "abc":
        clock.advance(4)
        webchat[1].write(body)
    seen = []
    for _ in range(4):
        seen.append("".join(bodies(rest, webchat[0])[1:]))
        clock.advance(4)
    assert seen == ["", "a", "ab", "abc"]


def test_a_row_moves_up_when_its_message_can_be_read(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    order = [row["conversation_uuid"] for row in rest.summaries()]
    sandbox.lag = 5
    sandbox.customer(order[-1]).write("me again")
    assert [row["conversation_uuid"] for row in rest.summaries()] == order
    assert sandbox.conversation_uuids == [order[-1], *order[:-1]]
    clock.advance(5)
    assert [row["conversation_uuid"] for row in rest.summaries()] == sandbox.conversation_uuids


@pytest.mark.parametrize("sorts_by", ["last interactive", "last message"])
def test_a_new_conversation_is_listed_later(sandbox: Sandbox, rest: Rest, clock: Clock, sorts_by: str) -> None:
    sandbox.personality = Personality(sorts_by=sorts_by)  # type: ignore[arg-type]
    listed = rest.summaries()
    sandbox.lag = 5
    uuid = sandbox.text("hello").conversation_uuid
    assert rest.summaries() == listed
    assert rest.get("/conversations")["metadata"]["result_set"]["total_records"] == 12
    assert rest.conversation(uuid)["messages"] == []
    clock.advance(5)
    assert rest.summaries()[0]["last_conversation_message_body"] == "hello"


def test_an_edit_is_read_later(sandbox: Sandbox, rest: Rest, clock: Clock, webchat: Webchat) -> None:
    uuid, customer = webchat
    message = rest.messages(uuid)[0]["conversation_message_uuid"]
    sandbox.lag = 5
    customer.edit(message, "(redacted)")
    assert bodies(rest, uuid) == ["Is anybody there?"]
    clock.advance(5)
    assert bodies(rest, uuid) == ["(redacted)"]


def test_what_is_old_enough_is_not_held_back_by_what_is_not(
    sandbox: Sandbox, rest: Rest, clock: Clock, webchat: Webchat
) -> None:
    sandbox.lag = 5
    clock.advance(1)
    rest.put(f"/conversations/{webchat[0]}/markread")
    assert rest.conversation(webchat[0])["unread_messages"] is False


def test_the_truth_does_not_lag(sandbox: Sandbox, rest: Rest, webchat: Webchat) -> None:
    sandbox.lag = 5
    webchat[1].write("late")
    assert sandbox.snapshot(webchat[0])["messages"][-1]["body"] == "late"
    sandbox.lag = 0
    assert bodies(rest, webchat[0])[-1] == "late"


@pytest.mark.parametrize("sorts_by", ["last interactive", "last message"])
def test_the_order_is_right_however_it_came_about(sandbox: Sandbox, rest: Rest, clock: Clock, sorts_by: str) -> None:
    sandbox.personality = Personality(sorts_by=sorts_by)  # type: ignore[arg-type]
    field = "last_message_dts" if sorts_by == "last message" else "last_interactive_message_dts"
    for step in range(30):
        clock.advance(1)
        sandbox.customer(sandbox.conversation_uuids[step % 12]).write("x")
        rows = rest.summaries()
        assert rows == sorted(rows, key=lambda row: (row[field], row["conversation_uuid"]), reverse=True)
        assert sandbox.conversation_uuids == [row["conversation_uuid"] for row in rows]


def test_the_future_cannot_be_read(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="negative"):
        sandbox.lag = -1
