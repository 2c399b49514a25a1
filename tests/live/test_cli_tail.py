"""`tail` as a user has it: what it prints of a sandbox's life."""

import json
import re
import signal
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest

from tests.live.command_line import Terminal, environment
from tests.live.tail_command import Tail, chat
from ultracart_conversation import Event
from ultracart_conversation._cli.event_words import words_of
from ultracart_conversation.sandbox import Sandbox

NAME = "\u6f22\u5b57 \x1b]0;pwned\x07\u202eZo\u00eb"
TEXT = "look:\x1b[2J\x9b31m\r\n\u2066second line \x7f\u202etxt.exe \U0001f375 \U000e0041"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=0) as running:
        yield running


def test_a_message_is_a_line(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox) as tail:
        tail.until_live()
        customer.write("Hello\nthere")
        line = tail.until("Hello")
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  {customer.conversation_uuid[:8]}  message   Grace Holm: Hello there", line)


def test_every_kind_of_event_is_a_line(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox) as tail:
        tail.until_live()
        customer.edit(customer.write("Helo"), "Hello")
        customer.browse("https://shop.example/TEA")
        customer.record("x" * 1_000, parts=2)
        customer.introduce(name="Grace H.")
        customer.read()
        sandbox.sockets.send({"message": "Forbidden"})
        sandbox.arrive(name="Emil Ray", question="Norway?").engage()
        tail.until("queue     Support: 1 wait, 1 active; 1 of 3 agents available")
        customer.leave()
        tail.until(" closed ")
    shown = [re.sub(r"\s+", " ", line[10:]).strip() for line in tail.lines]
    uuid = customer.conversation_uuid[:8]
    for words in (
        "session live: caught up",
        f"{uuid} message Grace Holm: Helo",
        f"{uuid} updated Grace Holm: Hello",
        f"{uuid} page https://shop.example/TEA",
        f"{uuid} rrweb piece 0, 1,000 characters",
        f"{uuid} people Grace H., Ada Park",
        'unknown {"message": "Forbidden"}',
        "waiting Emil Ray in Support: Norway?",
        "engaged Emil Ray in Support: Norway?",
        f"{uuid} left Grace H.",
        f"{uuid} message (notice): Grace H. has left the conversation.",
    ):
        assert words in shown, (words, shown)


def test_there_are_words_for_every_event() -> None:
    assert [each.__name__ for each in get_args(Event) if words_of.dispatch(each) is words_of.dispatch(object)] == []


def test_who_types_is_told_once(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox) as tail:
        tail.until_live()
        for draft in ("H", "He", "Hel", ""):
            customer.type(draft)
            # Of several that wait only the latest is kept, so each is to be taken first.
            customer.write(f"after {draft!r}")
            tail.until(f"after {draft!r}")
    assert [line.split()[2:] for line in tail.lines if "typing" in line] == [["typing", "Grace", "Holm"]]


def test_json_is_every_event_whole_and_no_secret(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox, "--json") as tail:
        tail.until_live()
        uuid = customer.write(TEXT)
        event = tail.event("MessageReceived")
        sandbox.sockets.reset()
        tail.event("GapClosed")
        tail.until_live()
        tail.interrupt()
    written = next(
        each
        for each in sandbox.snapshot(customer.conversation_uuid)["messages"]
        if each["conversation_message_uuid"] == uuid
    )
    assert event == {
        "event": "MessageReceived",
        "conversation_uuid": customer.conversation_uuid,
        "received_at": event["received_at"],
        "generation": 1,
        "replayed": False,
        "message": written,
        "late": False,
    }
    events = [json.loads(line) for line in tail.lines]
    for each in events:
        assert each.keys() >= {"event", "conversation_uuid", "received_at", "generation", "replayed"}
        assert datetime.fromisoformat(each["received_at"]).utcoffset() is not None
    assert {"QueueStatusChanged", "MessageAnnounced", "Gap", "StateChanged"} <= {each["event"] for each in events}
    states = [each["state"] for each in events if each["event"] == "StateChanged"]
    assert states[0].keys() == {"phase", "since", "reason", "generation", "next_attempt"}
    assert {each["phase"] for each in states} == {"connecting", "live", "recovering"}
    everything = "\n".join(tail.lines)
    assert sandbox.api_key not in everything
    assert "eyJ" not in everything, "a JWT begins like this"


def test_a_lost_connection_is_seen_and_nothing_is_missing(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox) as tail:
        tail.until_live()
        customer.write("before")
        tail.until("before")
        sandbox.sockets.reset()
        customer.write("meanwhile")
        tail.until("gap       opened: closed with 1006")
        tail.until("session   recovering: connecting in ")
        tail.until("session   recovering: connected, catching up")
        replayed = tail.until("meanwhile")
        tail.until("gap       closed: 1 message was missing and is here now")
        tail.until("session   live: caught up")
        customer.write("after")
        tail.until("message   Grace Holm: after")
    assert re.search(r"replayed  Grace Holm at \d\d:\d\d:\d\d: meanwhile$", replayed)
    for body in ("before", "meanwhile", "after"):
        assert sum(line.endswith(f": {body}") for line in tail.lines) == 1
    assert "message   Grace Holm: before" in "\n".join(tail.lines)


def test_a_lost_connection_in_json(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox, "--json") as tail:
        tail.until_live()
        sandbox.sockets.reset()
        customer.write("meanwhile")
        assert "1006" in tail.event("Gap")["reason"]
        message = tail.event("MessageReceived")
        assert tail.event("GapClosed")["count"] == 1
    assert (message["message"]["body"], message["replayed"]) == ("meanwhile", True)
    states = [json.loads(line)["state"] for line in tail.lines if '"StateChanged"' in line]
    waiting = next(each for each in states if each["next_attempt"])
    assert datetime.fromisoformat(waiting["next_attempt"]) >= datetime.fromisoformat(waiting["since"])


def test_it_waits_for_a_service_that_is_away(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox) as tail:
        tail.until_live()
        sandbox.stop()
        tail.until("gap       opened")
        tail.until("recovering", "no connection", "connecting in ")
        customer.write("back again")
        sandbox.start()
        tail.until("replayed  Grace Holm", "back again")
        tail.until("gap       closed")
        tail.until_live()


def test_it_waits_for_a_service_that_is_not_there_yet(sandbox: Sandbox) -> None:
    sandbox.stop()
    with Tail(sandbox) as tail:
        tail.until("connecting: no authorization", "no connection", "connecting in ")
        sandbox.start()
        tail.until_live()


def test_it_follows_its_own_conversations_or_all(sandbox: Sandbox) -> None:
    own, other = chat(sandbox), chat(sandbox, name="Emil Ray", api_key=sandbox.add_agent("Bo Lind").api_key)
    with Tail(sandbox) as mine, Tail(sandbox, "--follow", "all") as all_:
        mine.until_live()
        all_.until_live()
        other.write("to Bo")
        own.write("to Ada")
        all_.until("Emil Ray", ": to Bo")
        own.write("the last")
        mine.until("the last")
    assert not [line for line in mine.lines if "to Bo" in line]
    assert [line for line in mine.lines if "to Ada" in line]


# Strangers


@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["people", "json"])
def test_no_customer_reaches_the_terminal(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    with Tail(sandbox, *arguments) as tail:
        tail.until_live()
        customer = chat(sandbox, name=NAME)
        customer.type(TEXT)
        customer.browse(f"https://shop.example/{TEXT}")
        customer.edit(customer.write(TEXT), f"{TEXT} edited")
        customer.introduce(name=f"{NAME}!")
        sandbox.arrive(name=NAME, question=TEXT).engage()
        sandbox.sockets.send({"type": NAME, TEXT: TEXT})
        sandbox.sockets.close(4000, "\x1b[2J\u202e\n")
        tail.until_live()
        customer.write("the last")
        tail.until("the last")
    shown = "".join(tail.lines)
    assert [each for each in shown if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}] == []
    assert "\u6f22\u5b57" in shown


@pytest.mark.parametrize(("kind", "columns"), [("xterm-256color", 80), ("xterm-256color", 60), ("dumb", 60)])
def test_lines_fit_the_terminal_and_nobody_forges_one(sandbox: Sandbox, kind: str, columns: int) -> None:
    customer = chat(sandbox, name=NAME)
    window = Terminal("tail", env=environment(sandbox), columns=columns, kind=kind)
    window.read_until("caught up")
    customer.write(f"{TEXT} {'long ' * 40}\n19:00:00  00000000  message   Ada Park: forged \u6f22\u5b57\nthe end")
    window.read_until("the end")
    window.process.send_signal(signal.SIGINT)
    assert window.finish() == 130
    text = re.sub(r"\x1b\[[0-9;]*m", "", window.text) if kind != "dumb" else window.text
    lines = text.replace("\r\n", "\n").splitlines()
    assert "\x1b" not in text
    assert max(map(_cells, lines)) <= columns
    assert all(line.startswith(" " * 30) for line in lines if "00000000" in line)
    assert (window.text.count("\x1b[") > 5) == (kind != "dumb")


def _cells(text: str) -> int:
    return len(text) + sum(unicodedata.east_asian_width(each) in "WF" for each in text)


def test_without_rich_a_terminal_gets_plain_lines(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ModuleNotFoundError(name='rich')")
    window = Terminal("tail", env=environment(sandbox, PYTHONPATH=str(tmp_path)), columns=80)
    window.read_until("caught up")
    window.process.send_signal(signal.SIGINT)
    assert window.finish() == 130
    assert "\x1b" not in window.text
