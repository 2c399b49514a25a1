"""The sandbox as its users see it: a local UltraCart that starts, is steered, is asked what it saw, and stops."""

import asyncio
from collections import Counter
from types import TracebackType
from typing import Self

from . import wire
from .agent_frames import AgentFrames
from .app import Application
from .clock import Clock
from .control import Control
from .crowd import Crowd
from .customer import Customer
from .desk import Desk
from .envelope import Json
from .exchange import Received
from .faults import Fault, Plan
from .limits import RateLimits, RateMeter
from .oauth import OAuthServer
from .operations import Operations
from .personality import Personality
from .population import populate
from .queues import Agent
from .routes import ROOT
from .server import Server
from .sockets import Sockets
from .storefront import Storefront
from .switchboard import Switchboard
from .tokens import Tokens
from .world import World

_DEFAULT_QUEUE = "Support"
_EVERYWHERE = ("", "0.0.0.0")  # noqa: S104 - to recognise it, not to listen on it


class Sandbox:
    """A local UltraCart: REST under `/rest/v2` and the agents' websocket on one port, in a thread of its own.

    `with Sandbox() as sandbox:` and `async with Sandbox() as sandbox:` (asyncio or trio) both work; every method is
    synchronous, may be called from any thread, and has had its effect when it returns. `seed`, `customers` and
    `conversations` decide what there is at first; `rate` is how many things a second the customers do by
    themselves; `control` opens the same switches over HTTP under `/_sandbox`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        seed: int = 7,
        customers: int = 3,
        conversations: int = 25,
        rate: float = 0.0,
        personality: Personality | None = None,
        limits: RateLimits | None = None,
        control: bool = False,
        clock: Clock | None = None,
        api_key: str | None = None,
    ) -> None:
        self.clock: Clock = clock or Clock()
        self._world = World(seed=seed, clock=self.clock, personality=personality or Personality())
        self._storefront = Storefront(self._world)
        populate(self._world, self._storefront, customers=customers, conversations=conversations, api_key=api_key)
        desk = Desk(self._world)
        self._switchboard = Switchboard(self._world, AgentFrames(self._world, desk, self._storefront))
        self._world.publish = self._switchboard.publish
        self._meter = RateMeter(self.clock, limits)
        self._app = Application(
            self._world,
            Operations(self._world, desk, self._storefront),
            self._switchboard,
            self._meter,
            Control(self) if control else None,
        )
        self._crowd = Crowd(self._world, self._storefront, size=customers, rate=rate)
        self._server = Server(self._app, host=host, port=port, jobs=[self._crowd.live, self._keep_house])
        self.sockets: Sockets = Sockets(self._switchboard, self._server.call)
        self.clock.watch(lambda: self._server.call(self._switchboard.expire))

    def __repr__(self) -> str:
        return f"<Sandbox {self._world.uploads.origin or 'not started'}>"

    def start(self) -> Self:
        """Serve; OSError when the port is taken. After `stop` it serves the same world on the same port again."""
        self._server.start()
        self._world.served_at(_reachable(self._server.host), self._server.port)
        return self

    def stop(self) -> None:
        """Close every connection and end the thread, within a second or so."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def base_url(self) -> str:
        """What a client takes as the base of all operations, such as `http://127.0.0.1:8080/rest/v2`."""
        if not self._world.uploads.origin:
            raise RuntimeError("the sandbox has no address before it is started")
        return f"{self._world.uploads.origin}{ROOT}"

    @property
    def api_key(self) -> str:
        """The key of the first agent."""
        return self.agent.api_key

    @property
    def agent(self) -> Agent:
        """The first agent."""
        return next(iter(self._world.agents.values()))

    @property
    def personality(self) -> Personality:
        """How the server answers where UltraCart's documents are silent; may be changed at any time."""
        return self._world.personality

    @personality.setter
    def personality(self, personality: Personality) -> None:
        self._world.personality = personality

    @property
    def limits(self) -> RateLimits | None:
        """The rate limits; assigning starts with empty buckets."""
        return self._meter.limits

    @limits.setter
    def limits(self, limits: RateLimits | None) -> None:
        self._server.call(lambda: self._meter.replace(limits))

    @property
    def faults(self) -> Plan[Fault]:
        """What is to go wrong with the next requests."""
        return self._app.faults

    @property
    def tokens(self) -> Tokens:
        """The websocket tokens: `lifetime` in seconds, `single_use`."""
        return self._world.tokens

    @property
    def oauth(self) -> OAuthServer:
        """The OAuth server: its switches, and the user who approves."""
        return self._world.oauth

    @property
    def requests(self) -> list[Received]:
        """Every request received so far, the latest last; it may be cleared."""
        return self._app.requests

    @property
    def effects(self) -> Counter[str]:
        """How often each operation, or frame of an agent, changed something."""
        return self._world.effects

    @property
    def conversation_uuids(self) -> list[str]:
        """All conversations, newest first."""
        return self._server.call(lambda: [each.uuid for each in self._world.newest_first()])

    def add_agent(self, name: str) -> Agent:
        """One more agent, with an `api_key` of their own, who serves every queue."""
        return self._server.call(lambda: self._world.add_agent(name))

    def add_queue(self, name: str) -> None:
        """One more queue; its name may hold any character."""
        self._server.call(lambda: self._world.add_queue(name))

    def arrive(
        self,
        *,
        name: str = "Grace Holm",
        question: str = "Is anybody there?",
        queue: str = _DEFAULT_QUEUE,
        email: str | None = None,
        language: str = "en",
    ) -> Customer:
        """A customer asks for a webchat and waits in `queue`."""
        shopper = self._server.call(
            lambda: self._storefront.arrive(
                name=name, question=question, queue_name=queue, email=email, language=language
            )
        )
        return Customer(shopper, self._storefront, self._server.call)

    def text(self, body: str, *, name: str = "Grace Holm", phone: str = "+15550100123") -> Customer:
        """A customer begins an SMS conversation."""
        shopper = self._server.call(lambda: self._storefront.text(name=name, phone=phone, body=body))
        return Customer(shopper, self._storefront, self._server.call)

    def customer(self, conversation_uuid: str) -> Customer:
        """The customer of an existing conversation."""
        shopper = self._server.call(lambda: self._storefront.shopper_of(self._world.conversation(conversation_uuid)))
        return Customer(shopper, self._storefront, self._server.call)

    def snapshot(self, conversation_uuid: str) -> Json:
        """A conversation with all its messages, as REST gives it, without a request."""
        return self._server.call(lambda: wire.conversation(self._world, self._world.conversation(conversation_uuid)))

    def state(self) -> Json:
        """The whole sandbox in numbers, and its queues."""
        return self._server.call(self._state)

    def _state(self) -> Json:
        world = self._world
        return {
            "now": self.clock.now(),
            "conversations": len(world.conversations),
            "messages": sum(len(each.messages) for each in world.conversations.values()),
            "sockets": self.sockets.count,
            "requests": len(self.requests),
            "effects": dict(world.effects),
            "pending_faults": [fault.kind for fault in self.faults.pending],
            "queue_statuses": [wire.queue_status(queue) for queue in world.queues.values()],
        }

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._switchboard.expire()


def _reachable(host: str) -> str:
    """How a client on this machine writes the host that we listen on."""
    if host in _EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
