"""What a poller cannot do is one clear sentence, before anything is sent."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.polling_desk import Notebook
from tests.simulation.wires import client_of
from ultracart_conversation import (
    Adaptive,
    Archive,
    Audit,
    ConfigurationError,
    ConversationClient,
    MessagePoller,
    PollerCheckpoint,
)
from ultracart_conversation.sandbox import Simulation

pytestmark = pytest.mark.anyio
NOTHING = PollerCheckpoint(head={})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"archive": Archive("a.db"), "sink": Notebook()}, "an archive keeps what a sink and a checkpoint would"),
        ({"archive": Archive("a.db"), "checkpoint": NOTHING}, "an archive keeps what a sink and a checkpoint would"),
        ({"order": "random"}, 'order is "newest" or "oldest", not \'random\''),
        ({"interval": 0}, "interval and concurrency are positive"),
        ({"interval": -1.5}, "interval and concurrency are positive"),
        ({"interval": float("nan")}, "interval and concurrency are positive"),
        ({"interval": float("inf")}, "interval and concurrency are positive"),
        ({"settle": -1}, "settle is not negative"),
        ({"settle": float("nan")}, "settle is not negative"),
        ({"concurrency": 0}, "interval and concurrency are positive"),
        ({"concurrency": -3}, "interval and concurrency are positive"),
        ({"since": datetime(2026, 1, 1)}, "has no offset"),
        ({"since": date(2026, 1, 1)}, "a datetime with an offset"),
        ({"since": "2026-01-01"}, "a datetime with an offset"),
        ({"conversations": "5d0c3a"}, "conversations"),
        ({"conversations": []}, "conversations"),
        ({"conversations": ["a", ""]}, "conversations"),
    ],
)
async def test_nonsense_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    client = ConversationClient("key")
    with pytest.raises(ConfigurationError) as caught:
        MessagePoller(client, **options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Adaptive(shortest=0),
        lambda: Adaptive(longest=-1),
        lambda: Adaptive(share=0),
        lambda: Adaptive(share=1.1),
        lambda: Adaptive(shortest=600),
        lambda: Adaptive(longest=float("inf")),
        lambda: Audit(every=0),
        lambda: Audit(rest=-1),
        lambda: Audit(window=0),
    ],
)
async def test_nonsense_values_are_refused(nonsense: Any) -> None:
    with pytest.raises(ValueError, match=r"'?(shortest|longest|share|every|rest|window)'?"):
        nonsense()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": 1},
        {"version": 2, "head": {}, "conversations": {}},
        {"version": 1, "head": {}, "conversations": {}},
        {"version": 1, "head": {"mark": 1}, "conversations": {"a": {}}},
        {"version": 1, "head": None, "conversations": None},
    ],
)
async def test_what_is_no_checkpoint_is_refused_when_it_is_entered_at_the_latest(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="begin without it"):
        async with MessagePoller(ConversationClient("key"), checkpoint=PollerCheckpoint.from_dict(data)):
            pass


async def test_a_poller_works_inside_of_async_with_only() -> None:
    simulation = Simulation(conversations=1)
    async with client_of(simulation) as client:
        poller = MessagePoller(client, sink=Notebook())
        works = (poller.run_once, lambda: anext(aiter(poller)), lambda: anext(aiter(poller.batches())))
        for work in works:
            with pytest.raises(ConfigurationError, match="async with MessagePoller"):
                await work()
        for ask in (poller.statistics, poller.quarantined):
            with pytest.raises(ConfigurationError, match="async with MessagePoller"):
                ask()
        async with poller:
            pass
        for work in works:
            with pytest.raises(ConfigurationError, match="the poller was left: make a new one"):
                await work()
        assert poller.statistics().passes == 0
    assert simulation.requests == []


async def test_a_poller_is_entered_once() -> None:
    async with client_of(Simulation()) as client, MessagePoller(client) as poller:
        with pytest.raises(ConfigurationError, match="entered once"):
            async with poller:
                pass
    with pytest.raises(ConfigurationError, match="entered once"):
        async with poller:
            pass


async def test_run_once_needs_somebody_who_keeps() -> None:
    async with client_of(Simulation()) as client, MessagePoller(client) as poller:
        with pytest.raises(ConfigurationError, match="pass an archive or a sink, or iterate"):
            await poller.run_once()


async def test_who_keeps_has_the_checkpoint() -> None:
    async with client_of(Simulation()) as client:
        async with MessagePoller(client, sink=Notebook()) as poller:
            with pytest.raises(ConfigurationError, match="the archive or sink has the checkpoint"):
                poller.checkpoint()
        async with MessagePoller(client) as poller:
            assert poller.checkpoint() is None


async def test_an_archive_needs_asyncio(tmp_path: Path, anyio_backend: str) -> None:
    if anyio_backend == "asyncio":
        return
    path = tmp_path / "conversations.db"
    async with client_of(Simulation()) as client:
        with pytest.raises(ConfigurationError, match="works on asyncio only"):
            async with MessagePoller(client, archive=Archive(path)):
                pass
    assert not path.exists()


async def test_a_checkpoint_survives_json_and_adds_up() -> None:
    old = PollerCheckpoint(head={"mark": 1}, conversations={"a": {"due": 1.0}, "b": {}})
    newer = PollerCheckpoint(head={"mark": 2}, conversations={"b": {"due": 2.0}, "c": {}})
    both = old | newer
    assert both == PollerCheckpoint(head={"mark": 2}, conversations={"a": {"due": 1.0}, "b": {"due": 2.0}, "c": {}})
    assert PollerCheckpoint.from_dict(both.to_dict()) == both


async def test_a_time_with_an_offset_is_taken() -> None:
    with anyio.fail_after(5):
        async with client_of(Simulation()) as client, MessagePoller(client, since=datetime.now(UTC)) as poller:
            assert poller.statistics().complete_through is None
