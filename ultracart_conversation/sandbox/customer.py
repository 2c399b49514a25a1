"""A scripted customer, steered from outside."""

from .dates import eastern
from .envelope import Json
from .shoppers import Shopper
from .sockets import Marshal
from .storefront import Storefront


class Customer:
    """One customer of the store; when a method returns, its effect is visible over REST and pushed."""

    def __init__(self, shopper: Shopper, storefront: Storefront, marshal: Marshal) -> None:
        self._shopper = shopper
        self._storefront = storefront
        self._marshal = marshal

    def __repr__(self) -> str:
        return f"<Customer {self.name!r}>"

    @property
    def name(self) -> str:
        return self._shopper.person.name

    @property
    def arn(self) -> str:
        return self._shopper.person.arn

    @property
    def waiting(self) -> bool:
        """Whether they are in a queue."""
        return self._shopper.entry is not None

    @property
    def queue_entry_uuid(self) -> str:
        """What an agent picks up with `start_conversation`; LookupError when they do not wait."""
        if self._shopper.entry is None:
            raise LookupError(f"{self.name} does not wait in a queue")
        return self._shopper.entry.uuid

    @property
    def conversation_uuid(self) -> str:
        """The conversation they are in; LookupError before somebody picked them up."""
        if self._shopper.conversation is None:
            raise LookupError(f"{self.name} is in no conversation yet")
        return self._shopper.conversation.uuid

    def write(self, body: str, *, epoch: int | None = None) -> str:
        """Say something and return the message's UUID; while they wait it is kept for the agent to come.

        `epoch` (milliseconds) overrides the clock, also out of order.
        """
        return self._marshal(lambda: self._storefront.write(self._shopper, body, epoch=epoch)).uuid

    def edit(self, message_uuid: str, body: str) -> None:
        """Change the text of one of their messages; agents get `updated message`."""
        self._marshal(lambda: self._storefront.edit(self._shopper, message_uuid, body))

    def type(self, draft: str) -> None:
        """Be seen typing."""
        self._marshal(lambda: self._storefront.type(self._shopper, draft))

    def introduce(self, *, name: str | None = None, email: str | None = None) -> None:
        """Tell who they are; agents get `participant update`."""
        self._marshal(lambda: self._storefront.introduce(self._shopper, name=name, email=email))

    def read(self) -> None:
        """Read what was written; agents get `read message`."""
        self._marshal(lambda: self._storefront.read(self._shopper))

    def browse(self, url: str) -> None:
        """Open a page of the store; agents get `webchat context`."""
        self._marshal(lambda: self._storefront.browse(self._shopper, url))

    def put_in_cart(self, item_id: str, *, quantity: float = 1.0) -> None:
        self._marshal(lambda: self._storefront.put_in_cart(self._shopper, item_id, quantity))

    def engage(self) -> None:
        """Answer an engagement prompt while waiting; agents get `engage customer`."""
        self._marshal(lambda: self._storefront.engage(self._shopper))

    def record(self, data: str, *, parts: int = 1, index: int = 0) -> None:
        """Stream a piece of a co-browsing recording; agents get `rrweb` in `parts`."""
        self._marshal(lambda: self._storefront.record(self._shopper, data, parts=parts, index=index))

    def leave(self) -> None:
        """Give up waiting, or end the chat."""
        self._marshal(lambda: self._storefront.leave(self._shopper))

    def state(self) -> Json:
        """Where they are now, as plain values."""
        return {
            "name": self.name,
            "arn": self.arn,
            "queue_entry_uuid": self.queue_entry_uuid if self.waiting else None,
            "conversation_uuid": self._shopper.conversation and self._shopper.conversation.uuid,
            "session_start_dts": eastern(self._shopper.browsing.start_ms),
        }
