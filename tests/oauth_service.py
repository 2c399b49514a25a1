"""An UltraCart with OAuth, without a socket: every token that it meets is written down."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import httpx

from ultracart_conversation import Clock, ConversationClient, Limits, OAuth, Retry, Tokens

Answer = Callable[[dict[str, str]], httpx.Response]
BASE = "https://secure.ultracart.com/rest/v2"


class Service:
    """Issues `access-1`, `access-2` … for `refresh-0`; with `rotation` each comes with the next refresh token."""

    def __init__(self, clock: Clock, *, rotation: bool = False, lifetime: object = "3600", latency: float = 0) -> None:
        self.clock, self.rotation, self.lifetime, self.latency = clock, rotation, lifetime, latency
        self.live = {"access-0"}
        self.refresh_token = "refresh-0"
        self.events: list[tuple[str, str]] = []
        """What happened, in order: an access token was `sent`, `rejected` or `stored`; a `refresh` was asked for."""
        self.scripted: list[Answer] = []
        """Answers to the next token requests, before it answers by itself again."""
        self.issued = 0
        self.refreshing = 0
        """Token requests under way, and how many there were at most."""
        self.most_refreshing = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        return await (self._oauth(request) if "/oauth/" in request.url.path else self._rest(request))

    @property
    def refreshes(self) -> list[str]:
        return [token for event, token in self.events if event == "refresh"]

    @property
    def sent(self) -> list[str]:
        return [token for event, token in self.events if event == "sent"]

    def end(self, token: str) -> None:
        """The access token is accepted no longer."""
        self.live.discard(token)

    def store(self, tokens: Tokens) -> None:
        """An `on_tokens` callback."""
        self.events.append(("stored", tokens.access_token))

    def oauth(self, **options: Any) -> OAuth:
        defaults: dict[str, Any] = {"refresh_token": "refresh-0", "access_token": "access-0", "on_tokens": self.store}
        return OAuth("app", clock=self.clock, **{**defaults, **options})

    def client(self, credentials: OAuth, **options: Any) -> ConversationClient:
        defaults: dict[str, Any] = {"limits": Limits.unlimited(), "retry": Retry(attempts=1), "base_url": BASE}
        defaults["transport"] = httpx.MockTransport(self)
        return ConversationClient(credentials=credentials, clock=self.clock, **{**defaults, **options})

    async def _rest(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.events.append(("sent", token))
        accepted = token in self.live
        await self._travel()
        if accepted:
            return httpx.Response(200, json={"success": True})
        self.events.append(("rejected", token))
        return httpx.Response(401, json={"error": {"user_message": "who are you?"}})

    async def _oauth(self, request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        assert "x-ultracart-simple-key" not in request.headers
        form = dict(parse_qsl(request.content.decode()))
        self.events.append(("refresh", form["refresh_token"]))
        self.refreshing += 1
        self.most_refreshing = max(self.most_refreshing, self.refreshing)
        try:
            answer = self._decide(form)
            await self._travel()
            return answer() if callable(answer) else answer
        finally:
            self.refreshing -= 1

    def _decide(self, form: dict[str, str]) -> httpx.Response | Callable[[], httpx.Response]:
        """A service that means well has done its part by the time that its reply travels."""
        if self.scripted:
            return partial(self.scripted.pop(0), form)
        return self.issue() if form["refresh_token"] == self.refresh_token else failure("invalid_grant")

    async def _travel(self) -> None:
        if self.latency:
            await self.clock.sleep(self.latency)

    def issue(self) -> httpx.Response:
        self.issued += 1
        token = f"access-{self.issued}"
        self.live.add(token)
        reply: dict[str, object] = {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime}
        if self.rotation:
            self.refresh_token = reply["refresh_token"] = f"refresh-{self.issued}"
        return httpx.Response(200, json=reply)


def failure(code: str, *, status: int = 400, description: str = "says the test") -> httpx.Response:
    return httpx.Response(status, json={"error": code, "error_description": description})


def lost(form: dict[str, str]) -> httpx.Response:
    """The reply never comes."""
    del form
    raise httpx.ReadError("the line is dead")
