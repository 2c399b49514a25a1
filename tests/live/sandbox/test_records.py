"""Edits and erasures of what is stored: messages, and whole conversations."""

import pytest

from tests.live.sandbox.strangers import OpenSocket, Rest, Webchat
from ultracart_conversation.sandbox import Clock, Personality, Sandbox

DOES_NOT_EXIST = "Server side object 'conversation' could not be retrieved. It does not exist."


def bodies(rest: Rest, uuid: str) -> list[str]:
    return [said["body"] for said in rest.messages(uuid)]


def order(rest: Rest) -> list[str]:
    return [row["conversation_uuid"] for row in rest.summaries()]


@pytest.fixture
def thread(sandbox: Sandbox) -> str:
    """A conversation of three messages, of which we know the texts."""
    customer = sandbox.text("one")
    for body in ("two", "three"):
        customer.write(body)
    return customer.conversation_uuid


def message(rest: Rest, thread: str, body: str) -> str:
    uuids: list[str] = [each["conversation_message_uuid"] for each in rest.messages(thread) if each["body"] == body]
    return uuids[0]


def test_an_edit_changes_a_text_and_nothing_else(sandbox: Sandbox, rest: Rest, thread: str) -> None:
    rows, before = rest.summaries(), rest.messages(thread)
    sandbox.records.edit_message(thread, message(rest, thread, "two"), "2")
    assert rest.messages(thread) == [before[0], {**before[1], "body": "2"}, before[2]]
    assert rest.conversation(thread)["messages"] == rest.messages(thread)
    assert rest.summaries() == rows


def test_a_removed_message_is_nowhere(sandbox: Sandbox, rest: Rest, thread: str) -> None:
    row = rest.summaries()[0]
    sandbox.records.remove_message(thread, message(rest, thread, "two"))
    assert bodies(rest, thread) == ["one", "three"]
    assert [said["body"] for said in rest.conversation(thread)["messages"]] == ["one", "three"]
    assert rest.summaries()[0] == {**row, "message_count": 2}


@pytest.mark.parametrize("sorts_by", ["last interactive", "last message"])
def test_without_its_last_message_a_row_moves_down(sandbox: Sandbox, rest: Rest, clock: Clock, sorts_by: str) -> None:
    sandbox.personality = Personality(sorts_by=sorts_by)  # type: ignore[arg-type]
    before = rest.summaries()
    last = before[-1]["conversation_uuid"]
    clock.advance(60)
    said = sandbox.customer(last).write("wrong number")
    assert order(rest)[0] == last
    sandbox.records.remove_message(last, said)
    after = rest.summaries()
    assert order(rest)[-1] == last
    compared = ("last_interactive_message_dts", "last_message_dts", "last_conversation_message_body", "message_count")
    assert [after[-1][name] for name in compared] == [before[-1][name] for name in compared]


def test_a_conversation_may_lose_every_message(sandbox: Sandbox, rest: Rest, thread: str) -> None:
    for said in rest.messages(thread):
        sandbox.records.remove_message(thread, said["conversation_message_uuid"])
    assert rest.messages(thread) == []
    assert order(rest)[-1] == thread
    assert "last_interactive_message_dts" not in rest.summaries()[-1]
    sandbox.customer(thread).write("again")
    assert bodies(rest, thread) == ["again"]


def test_a_hidden_conversation_is_read_but_not_listed(sandbox: Sandbox, rest: Rest, thread: str) -> None:
    listed = rest.summaries()
    sandbox.records.hide(thread)
    assert rest.summaries() == listed[1:]
    assert rest.get("/conversations")["metadata"]["result_set"]["total_records"] == 12
    assert (rest.conversation(thread)["visible"], bodies(rest, thread)) == (False, ["one", "two", "three"])
    sandbox.customer(thread).write("four")
    assert thread not in order(rest)
    assert thread not in sandbox.conversation_uuids
    sandbox.records.show(thread)
    assert order(rest)[0] == thread
    assert rest.conversation(thread)["visible"] is True


def test_a_removed_conversation_does_not_exist(sandbox: Sandbox, rest: Rest, thread: str) -> None:
    sandbox.records.remove(thread)
    assert thread not in order(rest)
    assert thread not in sandbox.conversation_uuids
    for path in (f"/conversations/{thread}", f"/conversations/{thread}/messages/0"):
        response = rest.http.get(path)
        assert (response.status_code, response.json()["error"]["user_message"]) == (400, DOES_NOT_EXIST)
    assert rest.http.put(f"/conversations/{thread}/join").status_code == 400


def test_nobody_writes_in_a_removed_conversation(sandbox: Sandbox, webchat: Webchat) -> None:
    uuid, customer = webchat
    said = customer.write("hello")
    sandbox.records.remove(uuid)
    with pytest.raises(Exception, match="does not exist"):
        customer.write("anybody?")
    with pytest.raises(Exception, match="does not exist"):
        customer.edit(said, "anybody?")
    customer.leave()


def test_nothing_is_pushed(sandbox: Sandbox, rest: Rest, webchat: Webchat, open_socket: OpenSocket) -> None:
    uuid, customer = webchat
    said = customer.write("hello")
    socket = open_socket()
    sandbox.records.edit_message(uuid, said, "bye")
    sandbox.records.remove_message(uuid, said)
    sandbox.records.hide(uuid)
    sandbox.records.remove(uuid)
    assert socket.names() == []


def test_what_is_not_there_cannot_be_changed(sandbox: Sandbox, thread: str) -> None:
    records = sandbox.records
    for act in (records.hide, records.show, records.remove):
        with pytest.raises(Exception, match="'conversation' could not be updated"):
            act("nobody")
    with pytest.raises(Exception, match="'message' could not be updated"):
        records.remove_message(thread, "nothing")
    with pytest.raises(Exception, match="'message' could not be updated"):
        records.edit_message(thread, "nothing", "x")


def test_a_removed_message_lags_like_a_new_one(sandbox: Sandbox, rest: Rest, clock: Clock, thread: str) -> None:
    last, row = message(rest, thread, "three"), rest.summaries()[0]
    sandbox.lag = 5
    sandbox.records.remove_message(thread, last)
    assert bodies(rest, thread) == ["one", "two", "three"]
    assert rest.summaries()[0] == row
    clock.advance(5)
    assert bodies(rest, thread) == ["one", "two"]
    assert rest.summaries()[0]["last_conversation_message_body"] == "two"


def test_a_list_that_lags_still_has_what_was_removed(sandbox: Sandbox, rest: Rest, clock: Clock, thread: str) -> None:
    rows = rest.summaries()
    hidden = rows[5]["conversation_uuid"]
    sandbox.list_lag = 5
    sandbox.records.remove(thread)
    sandbox.records.hide(hidden)
    assert rest.summaries() == rows
    assert rest.http.get(f"/conversations/{thread}").status_code == 400
    assert rest.conversation(hidden)["visible"] is False
    clock.advance(5)
    assert order(rest) == [row["conversation_uuid"] for row in rows[1:] if row["conversation_uuid"] != hidden]


def test_what_came_and_went_within_the_lag_was_never_listed(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    rows = rest.summaries()
    sandbox.list_lag = 5
    sandbox.records.remove(sandbox.text("oops").conversation_uuid)
    for _ in range(3):
        assert rest.summaries() == rows
        clock.advance(3)
