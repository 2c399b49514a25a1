"""The world as a sandbox begins: staff, queues, a history of conversations, and customers who wait."""

import base64

from .conversations import Conversation, Message, Person
from .dice import Dice, dice
from .people import (
    AGENT_LINES,
    COLLEAGUES,
    CUSTOMER_LINES,
    FIRST_NAMES,
    LAST_NAMES,
    QUESTIONS,
    QUEUES,
    TRANSLATIONS,
)
from .queues import Standing
from .storefront import Storefront
from .uploads import Media
from .world import World

_MONTH_MS = 30 * 24 * 3600 * 1000
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_SMS_STATUSES = ("accepted", "queued", "sending", "sent", "read", "SENT_TO_TWILIO")


MessageCounts = tuple[int, int]
"""How many messages a conversation has when everything begins: at least and at most, but for a notice at its end."""
MESSAGES: MessageCounts = (1, 40)


def populate(
    world: World,
    storefront: Storefront,
    *,
    customers: int,
    conversations: int,
    messages: MessageCounts,
    api_key: str | None,
) -> None:
    """Fill an empty world; the same seed and counts give the same world, at the clock's present time."""
    for number, name in enumerate(COLLEAGUES):
        world.add_agent(name, api_key=api_key if number == 0 else None)
    for name in QUEUES:
        _open_queue(world, name)
    history = _History(world, messages)
    for _ in range(conversations):
        history.write_one()
    for number in range(customers):
        question = world.chance.choice(QUESTIONS)
        name = full_name(world.chance)
        storefront.arrive(name=name, question=question, queue_name=QUEUES[number % len(QUEUES)])


def full_name(chance: Dice) -> str:
    return f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"


def _open_queue(world: World, name: str) -> None:
    queue = world.add_queue(name)
    queue.standings = {agent.arn: Standing(agent, "available") for agent in world.agents.values()}
    standings = list(queue.standings.values())
    standings[0].status = "unavailable"
    standings[-1].status = "busy"
    queue.hold_seconds = [12, 47, 95]
    queue.chat_seconds = [310, 122, 640]
    queue.abandon_seconds = [33]


class _History:
    """Writes conversations of the last month."""

    def __init__(self, world: World, messages: MessageCounts) -> None:
        self._world = world
        self._messages = messages
        self._chance = dice(world.seed, "history")
        self._now_ms = world.clock.epoch_ms()
        self._staff = [agent.person for agent in world.agents.values()]

    def write_one(self) -> None:
        chance, world = self._chance, self._world
        sms = chance.random() < 0.3
        count = chance.randint(*self._messages)
        customer = self._customer(sms=sms)
        agent = chance.choice(self._staff)
        opened = world.open_conversation("sms" if sms else "websocket", customer, agent)
        opened.queue_name = None if sms else chance.choice(QUEUES)
        opened.start_ms = self._now_ms - chance.randrange(3_600_000, _MONTH_MS)
        for present in opened.participants:
            present.joined_ms = opened.start_ms
        self._converse(opened, customer, agent, count)
        self._conclude(opened, customer, agent)

    def _customer(self, *, sms: bool) -> Person:
        chance = self._chance
        name = full_name(chance)
        arn = self._world.identity.arn("customer")
        if sms:
            return Person(arn, name, "customer", phone=f"+1555{chance.randrange(10**7):07d}")
        email = f"customer{chance.randrange(10**6)}@mail.example"
        return Person(arn, name, "customer", email=email, timezone="America/Chicago")

    def _converse(self, opened: Conversation, customer: Person, agent: Person, count: int) -> None:
        """`count` messages that end before now, the first of them a question."""
        roll = self._chance.random
        pace = min(90_000, (self._now_ms - opened.start_ms) // (count + 1))
        epoch = opened.start_ms
        uuid = self._world.identity.uuid
        for number in range(count):
            epoch += 1 + int(roll() * pace)
            asks = number == 0 or roll() < 0.55
            lines = QUESTIONS if number == 0 else CUSTOMER_LINES if asks else AGENT_LINES
            body = lines[int(roll() * len(lines))]
            said = Message(uuid(), epoch, body, customer if asks else agent)
            if number % 7 == 3:
                self._embellish(opened, said, customer)
            opened.append(said)

    def _embellish(self, opened: Conversation, said: Message, customer: Person) -> None:
        """What only some messages have: transport statuses, translations, pictures."""
        chance = self._chance
        if opened.medium == "sms" and said.author is not customer:
            said.transport_statuses = ((customer.arn, chance.choice(_SMS_STATUSES)),)
        elif chance.random() < 0.5:
            said.language, said.translations = "en", TRANSLATIONS[: chance.randint(1, 3)]
        else:
            key = f"{self._world.identity.uuid()}.png"
            self._world.uploads.stored[key] = Media(_PICTURE, "image/png")
            said.upload_keys = (key,)

    def _conclude(self, opened: Conversation, customer: Person, agent: Person) -> None:
        """Read or unread, rated or not, and some of them over."""
        chance = self._chance
        if chance.random() < 0.7:
            opened.mark_read(agent.arn)
        if chance.random() < 0.5:
            opened.sentiment = _sentiment(chance)
        if chance.random() < 0.1:
            opened.virtual_agent_cost = round(chance.random(), 4)
        if opened.medium == "websocket" and chance.random() < 0.4:
            self._close(opened, customer)

    def _close(self, opened: Conversation, customer: Person) -> None:
        end = opened.last_message_ms + 1
        said = Message(self._world.identity.uuid(), end, f"{customer.name} has left the conversation.", None, "notice")
        opened.append(said)
        opened.closed = True
        for present in opened.participants:
            present.left_ms = end


def _sentiment(chance: Dice) -> tuple[float, float, float, float]:
    scores = [chance.random() for _ in range(4)]
    total = sum(scores)
    positive, neutral, negative, mixed = (round(score / total, 6) for score in scores)
    return positive, neutral, negative, mixed
