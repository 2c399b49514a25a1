"""A poller, a real archive and a real socket; and its numbers for those who watch them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tests.polling_desk import archived, stored
from ultracart_conversation import Archive, ConversationClient, Fenced, Limits, MessagePoller
from ultracart_conversation.sandbox import Fault, Sandbox

pytestmark = pytest.mark.asyncio
SIZE = pytest.mark.ultracart_sandbox(conversations=40)


class PollerCollector(Collector):
    """What a poller tells Prometheus; it asks the service nothing."""

    def __init__(self, poller: MessagePoller) -> None:
        self._poller = poller

    def collect(self) -> Iterator[Metric]:
        now = self._poller.statistics()
        lag = [(f"{bound:g}".replace("inf", "+Inf"), count) for bound, count in now.lag.counts.items()]
        yield HistogramMetricFamily(
            "chat_lag_seconds", "From written to archived", buckets=lag, sum_value=now.lag.total
        )
        requests = CounterMetricFamily("chat_requests", "Requests, by what they were for", labels=["purpose"])
        for purpose, count in now.requests.items():
            requests.add_metric([purpose], count)
        yield requests
        yield CounterMetricFamily("chat_messages", "New messages", value=now.new)
        yield GaugeMetricFamily("chat_backlog", "Conversations that are to be read", value=now.backlog)
        yield GaugeMetricFamily("chat_quarantined", "Conversations that cannot be read", value=now.quarantined)
        if now.complete_through is not None:
            through = now.complete_through.timestamp()
            yield GaugeMetricFamily("chat_complete_through_seconds", "Everything until then is here", value=through)
        if now.budget.day is not None:
            yield GaugeMetricFamily(
                "chat_requests_left", "What the day's limit still allows", value=now.budget.day.left
            )


@pytest_asyncio.fixture
async def client(ultracart_sandbox: Sandbox) -> AsyncIterator[ConversationClient]:
    sandbox = ultracart_sandbox
    limits = Limits(concurrency=4)
    async with ConversationClient(sandbox.api_key, base_url=sandbox.base_url, limits=limits) as client:
        yield client


@SIZE
async def test_a_poller_fills_an_archive_and_goes_on_after_a_restart(
    ultracart_sandbox: Sandbox, client: ConversationClient, tmp_path: Path
) -> None:
    path = tmp_path / "conversations.db"
    async with MessagePoller(client, archive=Archive(path)) as poller:
        statistics = await poller.run_once()
        assert statistics.conversations == 40
        assert statistics.history.left == statistics.backlog == 0
    ultracart_sandbox.burst(10, each=2)
    ultracart_sandbox.request_counts.clear()
    async with Archive(path) as archive, MessagePoller(client, archive=archive) as poller:
        await poller.run_once()
        assert await archived(archive) == stored(ultracart_sandbox)
        assert ultracart_sandbox.request_counts["get_conversations"] == 1
        assert 10 <= ultracart_sandbox.request_counts.total() <= 14
        new = [each async for each in archive.changes() if each.kind == "message"]
        assert len(new) == len({each.conversation_message_uuid for each in new})


@SIZE
async def test_a_poller_is_followed_while_it_fills_an_archive(
    ultracart_sandbox: Sandbox, client: ConversationClient, tmp_path: Path
) -> None:
    for kind in ("drop after", "truncated body", "status"):
        ultracart_sandbox.faults.add(Fault(kind=kind, status=503, rate=0.05, times=3))
    async with (
        Archive(tmp_path / "conversations.db") as archive,
        MessagePoller(client, archive=archive, interval=0.2, settle=0.2) as poller,
        asyncio.timeout(60),
    ):
        ultracart_sandbox.text("Hello?")
        async for _ in poller:
            if await archived(archive) == stored(ultracart_sandbox):
                break
        ultracart_sandbox.text("And again?")
        async for change in poller:
            if "And again?" in [message.body for message in change.new]:
                break
        assert await archived(archive) == stored(ultracart_sandbox)


@SIZE
async def test_the_numbers_of_a_poller_for_prometheus(
    ultracart_sandbox: Sandbox, client: ConversationClient, tmp_path: Path
) -> None:
    async with MessagePoller(client, archive=Archive(tmp_path / "conversations.db")) as poller:
        registry = CollectorRegistry()
        registry.register(PollerCollector(poller))
        assert "chat_complete_through_seconds" not in scrape(registry)
        await poller.run_once()
        ultracart_sandbox.burst(10)
        before = ultracart_sandbox.request_counts.total()
        await poller.run_once()
        asked = ultracart_sandbox.request_counts.total()
        numbers = scrape(registry)
        assert numbers['chat_lag_seconds_bucket{le="+Inf"}'] == numbers["chat_lag_seconds_count"] == 10
        assert numbers['chat_requests_total{purpose="news"}'] + 1 == asked - before
        assert numbers["chat_backlog"] == numbers["chat_quarantined"] == 0
        assert numbers["chat_messages_total"] == sum(map(len, stored(ultracart_sandbox).values()))
        assert 0 < numbers["chat_requests_left"] < 10_000
        assert numbers["chat_complete_through_seconds"] <= ultracart_sandbox.clock.now()
        assert ultracart_sandbox.request_counts.total() == asked


def scrape(registry: CollectorRegistry) -> dict[str, float]:
    lines = generate_latest(registry).decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


@SIZE
async def test_of_two_pollers_on_one_archive_object_the_later_one_writes(
    ultracart_sandbox: Sandbox, tmp_path: Path
) -> None:
    key, url = ultracart_sandbox.api_key, ultracart_sandbox.base_url
    async with ConversationClient(key, base_url=url) as client, Archive(tmp_path / "conversations.db") as archive:
        async with MessagePoller(client, archive=archive) as first:
            await first.run_once()
            async with MessagePoller(client, archive=archive) as second:
                ultracart_sandbox.customer(ultracart_sandbox.conversation_uuids[0]).write("for one of you")
                with pytest.raises(Fenced, match="nothing was written"):
                    await first.run_once()
                await second.run_once()
        assert await archived(archive) == stored(ultracart_sandbox)
