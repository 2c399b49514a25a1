"""The same seed gives the same world, quickly, and a varied one."""

import time
from itertools import chain
from typing import Any

from ultracart_conversation.sandbox import Clock, Sandbox

NOON = 1_761_580_800.0


def world(seed: int, **options: Any) -> list[Any]:
    sandbox = Sandbox(clock=Clock(at=NOON), seed=seed, customers=5, conversations=40, **options)
    state = sandbox.state()
    return [state["queue_statuses"], *(sandbox.snapshot(uuid) for uuid in sandbox.conversation_uuids)]


def test_a_seed_names_its_world() -> None:
    assert world(7) == world(7) != world(8)


def test_the_key_may_be_chosen_without_changing_the_world() -> None:
    assert world(7, api_key="my-key") == world(7)
    assert Sandbox(seed=7).api_key == Sandbox(seed=7).api_key != Sandbox(seed=8).api_key
    assert Sandbox(api_key="my-key").api_key == "my-key"


def test_500_conversations_are_made_at_once() -> None:
    best = min(_seconds() for _ in range(5))
    assert best < 0.3


def _seconds() -> float:
    began = time.perf_counter()
    Sandbox(conversations=500, customers=20)
    return time.perf_counter() - began


def test_the_history_is_varied() -> None:
    sandbox = Sandbox(clock=Clock(at=NOON), conversations=200)
    conversations = [sandbox.snapshot(uuid) for uuid in sandbox.conversation_uuids]
    messages = list(chain.from_iterable(each["messages"] for each in conversations))
    assert {each["medium"] for each in conversations} == {"sms", "websocket"}
    assert {each["closed"] for each in conversations} == {True, False}
    assert {each["unread_messages"] for each in conversations} == {True, False}
    sentiments = {each["sentiment"]["sentiment"] for each in conversations if "sentiment" in each}
    assert sentiments == {"POSITIVE", "NEUTRAL", "NEGATIVE", "MIXED"}
    assert {"message", "notice"} == {said["type"] for said in messages}
    for field in ("translations", "transport_statuses", "media_urls", "language_iso_code"):
        assert any(field in said for said in messages)
    sizes = {each["message_count"] for each in conversations}
    assert min(sizes) <= 2
    assert max(sizes) >= 39


def test_the_history_is_consistent() -> None:
    sandbox = Sandbox(clock=Clock(at=NOON), conversations=100)
    for uuid in sandbox.conversation_uuids:
        conversation = sandbox.snapshot(uuid)
        epochs = [said["message_epoch"] for said in conversation["messages"]]
        assert epochs == sorted(set(epochs))
        assert epochs[-1] <= NOON * 1000
        assert conversation["last_message_dts"] == conversation["messages"][-1]["message_dts"]
        assert conversation["message_count"] == len(epochs)
    uuids = [
        said["conversation_message_uuid"]
        for u in sandbox.conversation_uuids
        for said in sandbox.snapshot(u)["messages"]
    ]
    assert len(uuids) == len(set(uuids))
