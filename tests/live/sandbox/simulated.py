"""A stranger who talks to a simulation: raw requests and raw frames."""

import json
from typing import Any

import anyio

from ultracart_conversation.sandbox import Customer, Listener, LocalSocket, Reply, Simulation


class Ear:
    """Hears one websocket, and keeps what it heard in order: frames, "pong", and the end as (code, reason)."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.listener = Listener(on_text=self._text, on_end=self._end, on_pong=lambda: self.heard.append("pong"))

    def names(self) -> list[Any]:
        """What was heard since the last time, frames by their names."""
        heard, self.heard = self.heard, []
        return [item.get("event_type", item.get("type", "error")) if isinstance(item, dict) else item for item in heard]

    def bodies(self) -> list[str]:
        """The texts of the messages among all that was heard."""
        return [item["message"]["body"] for item in self.heard if isinstance(item, dict) and item["type"] == "message"]

    def _text(self, text: str) -> None:
        try:
            self.heard.append(json.loads(text))
        except ValueError:
            self.heard.append(text)

    def _end(self, code: int | None, reason: str) -> None:
        self.heard.append((code, reason))


class Stranger:
    """Whoever has the key of the first agent."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.headers = {"X-UltraCart-Api-Version": "2017-03-01", "X-UltraCart-Simple-Key": simulation.api_key}

    async def ask(self, method: str, path: str, body: object | None = None, *, within: float | None = None) -> Reply:
        data = b"" if body is None else json.dumps(body).encode()
        url = f"{self.simulation.base_url}/conversation{path}"
        return await self.simulation.request(method, url, headers=self.headers, body=data, within=within)

    async def get(self, path: str) -> Any:
        return json.loads((await self.ask("GET", path)).body)

    async def bodies(self, uuid: str) -> list[str]:
        found = await self.get(f"/conversations/{uuid}/messages/0")
        return [said["body"] for said in found["conversation_messages"]]

    async def authorize(self) -> dict[str, str]:
        granted: dict[str, str] = json.loads((await self.ask("PUT", "/agent/auth")).body)["agent_auth"]
        return granted

    async def open(self, ear: Ear) -> LocalSocket:
        return await self.simulation.connect((await self.authorize())["websocket_url"], ear.listener)

    async def pick_up(self, customer: Customer) -> str:
        wanted = {"conversation_webchat_queue_uuid": customer.queue_entry_uuid}
        await self.ask("PUT", "/conversations", wanted)
        return customer.conversation_uuid


def say(socket: LocalSocket, uuid: str, body: str) -> None:
    socket.send(json.dumps({"type": "message", "conversation_uuid": uuid, "message": {"body": body}}))


async def meanwhile(simulation: Simulation, seconds: float, *tasks: Any) -> list[Any]:
    """Run coroutine functions while so many simulated seconds pass; their results, None for what is not done."""
    results: list[Any] = [None] * len(tasks)

    async def run(at: int, task: Any) -> None:
        results[at] = await task()

    async with anyio.create_task_group() as group:
        for at, task in enumerate(tasks):
            group.start_soon(run, at, task)
        await simulation.timeline.advance(seconds)
        group.cancel_scope.cancel()
    return results
