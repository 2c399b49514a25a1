"""Strangers who talk to the sandbox: raw HTTP by httpx, raw frames by websockets, and not a line of our client."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from websockets.sync.client import ClientConnection

from ultracart_conversation.sandbox import Customer, Sandbox


class Rest:
    """Raw requests with the two headers that UltraCart wants."""

    def __init__(self, sandbox: Sandbox, *, api_key: str | None = None) -> None:
        headers = {
            "X-UltraCart-Api-Version": "2017-03-01",
            "x-ultracart-simple-key": api_key or sandbox.api_key,
        }
        # There is no TLS on loopback, and loading certificates would be most of a test's time.
        self.http = httpx.Client(base_url=f"{sandbox.base_url}/conversation", headers=headers, timeout=5, verify=False)

    def get(self, path: str, **query: object) -> Any:
        return self._json(self.http.get(path, params={name: str(value) for name, value in query.items()}))

    def put(self, path: str, body: object | None = None) -> Any:
        return self._json(self.http.put(path, json=body) if body is not None else self.http.put(path))

    def delete(self, path: str) -> Any:
        return self._json(self.http.delete(path))

    def summaries(self, **query: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/conversations", **query)["conversations"]
        return found

    def messages(self, uuid: str, since: int = 0, **query: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]]
        found = self.get(f"/conversations/{uuid}/messages/{since}", **query)["conversation_messages"]
        return found

    def conversation(self, uuid: str, **query: object) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/conversations/{uuid}", **query)["conversation"]
        return found

    def queue(self, name: str) -> dict[str, Any]:
        statuses: list[dict[str, Any]] = self.get("/conversations/queues/statuses")["queue_statuses"]
        return next(status for status in statuses if status["queue_name"] == name)

    def pick_up(self, queue_entry_uuid: str) -> str:
        wanted = {"conversation_webchat_queue_uuid": queue_entry_uuid}
        uuid: str = self.put("/conversations", wanted)["conversation"]["conversation_uuid"]
        return uuid

    def websocket_url(self) -> str:
        url: str = self.put("/agent/auth")["agent_auth"]["websocket_url"]
        return url

    @staticmethod
    def _json(response: httpx.Response) -> Any:
        assert response.is_success, response.text
        return response.json() if response.content else None


class AgentSocket:
    """An agent's websocket, read frame by frame."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, frame: object) -> None:
        self.connection.send(json.dumps(frame))

    def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=5))
        return frame

    def drain(self) -> list[dict[str, Any]]:
        """Every frame up to now: the server answers a ping after all that it had pushed before."""
        self.send({"type": "ping"})
        frames: list[dict[str, Any]] = []
        while (frame := self.next()) != {"type": "ping"}:
            frames.append(frame)
        return frames

    def names(self) -> list[str]:
        """The event types (or types) of every frame up to now."""
        return [frame.get("event_type", frame["type"]) for frame in self.drain()]


OpenSocket = Callable[..., AgentSocket]
RestAs = Callable[[str], Rest]
Webchat = tuple[str, Customer]
