"""A local UltraCart without a door: its state, its switches and its customers, however requests reach it."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from . import wire
from .agent_frames import AgentFrames
from .app import Application
from .clock import Clock
from .control import Control
from .customer import Customer
from .desk import Desk
from .dice import dice
from .envelope import Json
from .exchange import Received
from .faults import Fault, Plan
from .limits import RateLimits, RateMeter
from .lines import Lines
from .oauth import OAuthServer
from .operations import Operations
from .personality import Personality
from .population import MESSAGES, MessageCounts, populate
from .queues import Agent
from .records import Records
from .routes import ROOT
from .shoppers import Shopper
from .socket_faults import SocketFault
from .sockets import Sockets
from .storefront import Storefront
from .switchboard import Switchboard
from .timekeeper import Timekeeper
from .tokens import Tokens
from .world import World

T = TypeVar("T")

_DEFAULT_QUEUE = "Support"


class Service:
    """What `Sandbox` and `Simulation` have in common."""

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int,
        customers: int,
        conversations: int,
        personality: Personality | None,
        limits: RateLimits | None,
        api_key: str | None,
        messages: MessageCounts = MESSAGES,
        control: bool = False,
    ) -> None:
        self.clock: Clock = clock
        self._world = World(seed=seed, clock=clock, personality=personality or Personality())
        self._storefront = Storefront(self._world)
        populate(
            self._world,
            self._storefront,
            customers=customers,
            conversations=conversations,
            messages=messages,
            api_key=api_key,
        )
        desk = Desk(self._world)
        lines = Lines()
        self.sockets: Sockets = Sockets(lines, Plan[SocketFault](dice(seed, "socket faults")), self._call)
        self.records: Records = Records(self._world, self._call)
        """Edits and erasures of what is stored."""
        self._bursts = dice(seed, "bursts")
        frames = AgentFrames(self._world, desk, self._storefront, self.sockets)
        self._switchboard = Switchboard(self._world, frames, self.sockets, lines)
        self._world.publish = self._switchboard.publish
        self._timekeeper = Timekeeper(self._world, desk, self.sockets, lines)
        self._meter = RateMeter(clock, limits)
        operations = Operations(self._world, desk, self._storefront)
        self._app = Application(self._world, operations, self._meter, Control(self) if control else None)
        clock.watch(lambda: self._call(self._timekeeper.run_due), next_due=self._next_due)

    def _call(self, function: Callable[[], T], /) -> T:
        """Run `function` where the state is at home."""
        return function()

    def _next_due(self) -> float | None:
        return self._call(self._timekeeper.next_due)

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
    def lag(self) -> float:
        """Seconds (of the sandbox's clock) before a message, an edit or a row can be read over REST; 0 at first.

        Pushes are immediate. What is still too young changes nothing in what REST shows of its conversation; one
        that is itself too young is not listed, but can be read by its UUID.
        """
        return self._world.lag.seconds

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._world.lag.seconds = _not_negative(seconds)

    @property
    def list_lag(self) -> float:
        """Seconds before a change can be seen in the list, where that is longer than `lag`; 0 at first.

        A conversation and its messages are read as they are meanwhile, its row is as it was and where it was.
        """
        return self._world.lag.list_seconds

    @list_lag.setter
    def list_lag(self, seconds: float) -> None:
        self._world.lag.list_seconds = _not_negative(seconds)

    @property
    def limits(self) -> RateLimits | None:
        """The rate limits; assigning starts with empty buckets."""
        return self._meter.limits

    @limits.setter
    def limits(self, limits: RateLimits | None) -> None:
        self._call(lambda: self._meter.replace(limits))

    @property
    def faults(self) -> Plan[Fault]:
        """What is to go wrong with the next requests."""
        return self._app.faults

    @property
    def tokens(self) -> Tokens:
        """The websocket tokens: how long they live, how often they open a socket, how they travel."""
        return self._world.tokens

    @property
    def oauth(self) -> OAuthServer:
        """The OAuth server: its switches, and the user who approves."""
        return self._world.oauth

    @property
    def requests(self) -> list[Received]:
        """The requests received so far, the latest last; it may be cleared. Of very many only the last 20,000 stay."""
        return self._app.log.received

    @property
    def request_counts(self) -> Counter[str]:
        """How often each operation was requested, whatever came of it; it may be cleared."""
        return self._app.log.counts

    @property
    def on_request(self) -> Callable[[Received], object] | None:
        """Called with every request before anything is done about it, so that what it changes is in the answer.

        It is called where the state is at home (in a `Sandbox`: in its thread) and may use every method of this
        object; a fault that it adds can strike that very request.
        """
        return self._app.log.heard

    @on_request.setter
    def on_request(self, heard: Callable[[Received], object] | None) -> None:
        self._app.log.heard = heard

    @property
    def effects(self) -> Counter[str]:
        """How often each operation, or frame of an agent, changed something."""
        return self._world.effects

    @property
    def conversation_uuids(self) -> list[str]:
        """All conversations that are not hidden, newest first."""
        return self._call(lambda: [each.uuid for each in self._world.newest_first()])

    def add_agent(self, name: str) -> Agent:
        """One more agent, with an `api_key` of their own, who serves every queue."""
        return self._call(lambda: self._world.add_agent(name))

    def add_queue(self, name: str) -> None:
        """One more queue; its name may hold any character."""
        self._call(lambda: self._world.add_queue(name))

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
        arrive = self._storefront.arrive
        return self._customer(
            lambda: arrive(name=name, question=question, queue_name=queue, email=email, language=language)
        )

    def text(self, body: str, *, name: str = "Grace Holm", phone: str = "+15550100123") -> Customer:
        """A customer begins an SMS conversation."""
        return self._customer(lambda: self._storefront.text(name=name, phone=phone, body=body))

    def customer(self, conversation_uuid: str) -> Customer:
        """The customer of an existing conversation."""
        return self._customer(lambda: self._storefront.shopper_of(self._world.conversation(conversation_uuid)))

    def burst(self, conversations: int, *, each: int = 1) -> list[str]:
        """Customers write `each` messages in so many conversations, which the seed picks; their UUIDs.

        ValueError when there are not so many.
        """
        write = self._storefront.burst
        return [one.uuid for one in self._call(lambda: write(conversations, each=each, chance=self._bursts))]

    def snapshot(self, conversation_uuid: str) -> Json:
        """A conversation with all its messages, as REST gives it when nothing lags, without a request."""
        return self._call(lambda: wire.conversation(self._world, self._world.conversation(conversation_uuid)))

    def state(self) -> Json:
        """The whole sandbox in numbers, and its queues."""
        return self._call(self._state)

    def _customer(self, find: Callable[[], Shopper]) -> Customer:
        return Customer(self._call(find), self._storefront, self._call)

    def _state(self) -> Json:
        world = self._world
        return {
            "now": self.clock.now(),
            "conversations": len(world.conversations),
            "messages": sum(len(each.messages) for each in world.conversations.values()),
            "sockets": self.sockets.count,
            "frames": self.sockets.frames.counts(),
            "requests": len(self.requests),
            "effects": dict(world.effects),
            "pending_faults": [fault.kind for fault in self.faults.pending],
            "queue_statuses": [wire.queue_status(queue) for queue in world.queues.values()],
        }


def _not_negative(seconds: float) -> float:
    if seconds < 0:
        raise ValueError("a lag is not negative")
    return seconds
