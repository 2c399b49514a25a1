"""Whatever order expiry, rejection, failure, cancellation and broken storage come in, tokens stay in good hands."""

from collections import Counter
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oauth_service import Service, failure, lost
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import ConversationClient, Limits, Tokens, UltraCartError

LIFETIME = 300


class Run:
    """Callers in the background, and everything that may happen to them."""

    def __init__(
        self, clock: VirtualClock, group: anyio.abc.TaskGroup, *, rotation: bool, concurrency: int, left: float
    ) -> None:
        self.clock, self.group = clock, group
        self.service = Service(clock, rotation=rotation, lifetime=str(LIFETIME))
        self.disk_is_full = False
        self.waiting: list[anyio.CancelScope] = []
        self.oauth = self.service.oauth(expires_at=clock.time() + left, on_tokens=self.store)
        limits = Limits(per_hour=None, per_day=None, concurrency=concurrency)
        self.clients = [self.service.client(self.oauth, limits=limits) for _ in range(2)]

    async def store(self, tokens: Tokens) -> None:
        await self.clock.sleep(self.service.latency)
        if self.disk_is_full:
            raise OSError("the disk is full")
        self.service.store(tokens)

    async def step(self, what: str, number: int) -> None:
        service = self.service
        steps: dict[str, Any] = {
            "call": lambda: self.group.start_soon(self.call, self.clients[number % 2]),
            "cancel": lambda: self.waiting[number % len(self.waiting)].cancel() if self.waiting else None,
            "reject": service.live.clear,
            "refuse": lambda: service.scripted.append(lambda _: failure("invalid_request")),
            "lose": lambda: service.scripted.append(lost),
            "fail": lambda: service.scripted.append(lambda _: httpx.Response(503)),
            "stillborn": lambda: service.scripted.append(self.issue_a_dead_one),
            "latency": lambda: setattr(service, "latency", number % 4),
            "disk": lambda: setattr(self, "disk_is_full", bool(number % 2)),
            "wait": lambda: None,
        }
        steps[what]()
        await (self.clock.advance(number) if what == "wait" else settle())

    def issue_a_dead_one(self, _: dict[str, str]) -> httpx.Response:
        reply = self.service.issue()
        self.service.live.clear()
        return reply

    async def call(self, client: ConversationClient) -> None:
        with anyio.CancelScope() as scope:
            self.waiting.append(scope)
            try:
                await client.get_conversations()
            except (UltraCartError, OSError):
                pass
            finally:
                self.waiting.remove(scope)

    async def finish(self) -> None:
        """Nobody is stuck, and with the trouble over the next call succeeds."""
        await self.clock.advance(1_000)
        assert self.waiting == []
        self.service.scripted.clear()
        self.service.latency, self.disk_is_full = 0, False
        await self.clients[0].get_conversations()
        for client in self.clients:
            await client.aclose()

    def judge(self) -> None:
        events = self.service.events
        rejected: set[str] = set()
        stored: set[str] = {"access-0"}
        for event, token in events:
            assert not (event == "sent" and token in rejected), "a token that was rejected is never sent again"
            assert not (event == "sent" and token not in stored), "a token is stored before it is sent"
            rejected |= {token} if event == "rejected" else set()
            stored |= {token} if event == "stored" else set()
        times = Counter(token for event, token in events if event == "stored")
        expected = {f"access-{number + 1}": 1 for number in range(self.service.issued)}
        assert times == expected, "each token is stored once"
        assert self.service.most_refreshing <= 1, "one refresh at a time"


OFTEN = ["call", "call", "cancel", "latency", "wait"]
SELDOM = ["reject", "refuse", "lose", "fail", "stillborn", "disk"]
STEPS = st.tuples(
    st.sampled_from(OFTEN) | st.sampled_from(SELDOM),
    st.sampled_from([0, 1, 2, 3, 5, 40, LIFETIME - 20, LIFETIME + 1]),
)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(STEPS, min_size=12, max_size=40),
    rotation=st.booleans(),
    concurrency=st.sampled_from([1, 2, 50]),
    left=st.sampled_from([0, LIFETIME]),
)
def test_any_interleaving(
    backend: str, steps: list[tuple[str, int]], rotation: bool, concurrency: int, left: int
) -> None:
    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.cancel_scope.deadline = anyio.current_time() + 20
            happening = Run(VirtualClock(), group, rotation=rotation, concurrency=concurrency, left=left)
            for step in steps:
                await happening.step(*step)
            await happening.finish()
            happening.judge()
        assert not group.cancel_scope.cancel_called, "nobody waits for ever"

    anyio.run(run, backend=backend)
