"""What customers do: arrive, wait, write, browse and leave."""

import hashlib

from . import events, shoppers
from .conversations import Conversation, Message, Person
from .dice import Dice, dice
from .envelope import Json, missing
from .people import CUSTOMER_LINES
from .queues import Queue, QueueEntry
from .shoppers import Shopper
from .world import World


class Storefront:
    """The customers' side of the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def arrive(
        self, *, name: str, question: str, queue_name: str, email: str | None = None, language: str = "en"
    ) -> Shopper:
        """A customer asks for a chat and waits in the queue."""
        world = self._world
        queue = world.queue(queue_name)
        person = Person(world.identity.arn("customer"), name, "customer", email=email, language=language)
        shopper = Shopper(person, shoppers.browse(world.chance, world.clock.epoch_ms()))
        entry = QueueEntry(world.identity.uuid(), queue.name, person, question, world.clock.epoch_ms())
        shopper.entry = entry
        self.write(shopper, question)
        world.shoppers[person.arn] = shopper
        queue.entries.append(entry)
        world.publish(events.queue_new_member(entry))
        world.publish(events.queue_status_update(queue))
        return shopper

    def text(self, *, name: str, phone: str, body: str) -> Shopper:
        """A customer begins an SMS conversation."""
        world = self._world
        person = Person(world.identity.arn("customer"), name, "customer", phone=phone)
        opened = world.open_conversation("sms", person)
        world.publish(events.summarised("new conversation", world, opened))
        world.say(opened, person, body)
        return self.shopper_of(opened)

    def shopper_of(self, conversation: Conversation) -> Shopper:
        """The customer of a conversation, with the session they browse in."""
        person = conversation.customer
        if person is None:
            raise missing("customer", "retrieved")
        if person.arn not in self._world.shoppers:
            session = shoppers.browse(dice(conversation.uuid), conversation.start_ms)
            self._world.shoppers[person.arn] = Shopper(person, session, conversation=conversation)
        return self._world.shoppers[person.arn]

    def write(self, shopper: Shopper, body: str, *, epoch: int | None = None) -> Message:
        """Say something; while they wait it is kept for the agent who picks them up."""
        said = self._world.new_message(shopper.conversation, shopper.person, body)
        said.language = shopper.person.language
        said.epoch = said.epoch if epoch is None else epoch
        if shopper.conversation is None:
            shopper.unsent.append(said)
            return said
        return self._world.deliver(shopper.conversation, said)

    def burst(self, count: int, *, each: int, chance: Dice) -> list[Conversation]:
        """`each` messages of the customer in each of `count` conversations that the dice pick among all listed."""
        listed = [one for one in self._world.conversations.values() if not one.hidden]
        picked = chance.sample(listed, count)
        for conversation in picked:
            for _ in range(each):
                self._world.say(conversation, conversation.customer, chance.choice(CUSTOMER_LINES))
        return picked

    def edit(self, shopper: Shopper, message_uuid: str, body: str) -> None:
        """Change the text of a message, as a redaction does; Refusal 400 when there is no such message."""
        conversation = self._chat(shopper)
        said = self._world.edit(conversation, message_uuid, body)
        self._world.publish(
            events.updated_message(self._world, conversation, said), agents=conversation.present_agents()
        )

    def introduce(self, shopper: Shopper, *, name: str | None, email: str | None) -> None:
        """The customer tells who they are; agents see a changed participant."""
        shopper.person.name = name or shopper.person.name
        shopper.person.email = email or shopper.person.email
        if shopper.conversation is not None:
            self._world.publish(events.summarised("participant update", self._world, shopper.conversation))

    def read(self, shopper: Shopper) -> None:
        conversation = self._chat(shopper)
        if conversation.mark_heard(shopper.person.arn) and conversation.messages:
            frame = events.read_message(conversation, conversation.messages[-1])
            self._world.publish(frame, agents=conversation.present_agents())

    def type(self, shopper: Shopper, draft: str) -> None:
        if shopper.conversation is not None:
            frame = events.typing(shopper.conversation, shopper.person, draft)
            self._world.publish(frame, agents=shopper.conversation.present_agents())

    def browse(self, shopper: Shopper, url: str) -> None:
        shopper.browsing.pages.append(url)
        self._context_changed(shopper)

    def put_in_cart(self, shopper: Shopper, item_id: str, quantity: float) -> None:
        lines = shopper.browsing.lines
        lines[item_id] = lines.get(item_id, 0.0) + quantity
        self._context_changed(shopper)

    def use_coupon(self, shopper: Shopper, code: str) -> None:
        if code not in shopper.browsing.coupons:
            shopper.browsing.coupons.append(code)
        self._context_changed(shopper)

    def engage(self, shopper: Shopper) -> None:
        """The customer answers an engagement prompt: their entry is pushed to the agents."""
        if shopper.entry is not None:
            self._world.publish(events.engage_customer(shopper.entry))

    def record(self, shopper: Shopper, data: str, *, parts: int, index: int) -> None:
        """Stream one piece of a co-browsing recording, cut into `parts`."""
        conversation = self._chat(shopper)
        for part in _recording(data, parts=parts, index=index):
            self._world.publish(events.rrweb(conversation, part), agents=conversation.present_agents())

    def leave(self, shopper: Shopper) -> None:
        """Give up waiting, or end the chat."""
        if shopper.entry is not None:
            self._abandon(shopper, shopper.entry)
        elif shopper.conversation is not None and not shopper.conversation.closed:
            self._end(shopper, shopper.conversation)

    def _chat(self, shopper: Shopper) -> Conversation:
        if shopper.conversation is None:
            raise missing("conversation", "updated")
        return shopper.conversation

    def _abandon(self, shopper: Shopper, entry: QueueEntry) -> None:
        queue = self._world.queue(entry.queue_name)
        queue.abandon(entry, self._world.clock.epoch_ms())
        shopper.entry = None
        self._world.publish(events.queue_status_update(queue))

    def _end(self, shopper: Shopper, conversation: Conversation) -> None:
        world = self._world
        present = world.admit(conversation, shopper.person)
        present.left_ms = world.clock.epoch_ms()
        conversation.closed = True
        world.publish(events.participant_changed("participant left", world, conversation, present))
        world.say(conversation, None, f"{shopper.person.name} has left the conversation.")
        world.publish(events.summarised("conversation closed", world, conversation))
        if queue := world.queues.get(conversation.queue_name or ""):
            self._finish(queue, conversation)

    def _finish(self, queue: Queue, conversation: Conversation) -> None:
        queue.finish(conversation.start_ms, self._world.clock.epoch_ms())
        self._world.publish(events.queue_status_update(queue))

    def _context_changed(self, shopper: Shopper) -> None:
        if shopper.conversation is None:
            return
        session = shopper.browsing
        frame = events.webchat_context(
            shopper.conversation, cart_id=session.cart_id, ucacid=session.ucacid, url=session.pages[-1]
        )
        self._world.publish(frame, agents=shopper.conversation.present_agents())


def _recording(data: str, *, parts: int, index: int) -> list[Json]:
    size = -(-len(data) // parts)
    whole = hashlib.sha256(data.encode()).hexdigest()
    pieces = [data[at * size : (at + 1) * size] for at in range(parts)]
    return [
        {
            "type": "init" if index == 0 else "events",
            "event_index": index,
            "data": piece,
            "data_part": number,
            "data_total_parts": parts,
            "data_sha256": hashlib.sha256(piece.encode()).hexdigest(),
            "data_total_sha256": whole,
        }
        for number, piece in enumerate(pieces, start=1)
    ]
