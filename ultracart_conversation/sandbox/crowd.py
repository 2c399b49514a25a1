"""Customers who act by themselves, by the dice of the sandbox's seed."""

import asyncio

from .dice import dice
from .people import CUSTOMER_LINES, QUESTIONS
from .population import full_name
from .shoppers import CATALOG, Shopper, page_of
from .storefront import Storefront
from .world import World


class Crowd:
    """`size` customers who together do about `rate` things a second: mostly write, sometimes browse, come or go."""

    def __init__(self, world: World, storefront: Storefront, *, size: int, rate: float) -> None:
        self.rate = rate
        self._size = size
        self._world = world
        self._storefront = storefront
        self._chance = dice(world.seed, "crowd")
        self._members: list[Shopper] = []

    async def live(self) -> None:
        """Act until cancelled."""
        while True:
            await asyncio.sleep(self._chance.expovariate(self.rate) if self.rate > 0 else 1.0)
            if self.rate > 0:
                self.act()

    def act(self) -> None:
        """One thing that one customer does."""
        self._gather()
        if not self._members:
            return
        shopper = self._chance.choice(self._members)
        match self._chance.random():
            case roll if roll < 0.75:
                self._storefront.write(shopper, self._chance.choice(CUSTOMER_LINES))
            case roll if roll < 0.9:
                self._storefront.browse(shopper, page_of(self._chance.choice(CATALOG)[0]))
            case roll if roll < 0.95:
                self._storefront.type(shopper, self._chance.choice(CUSTOMER_LINES)[:9])
            case _:
                self._storefront.leave(shopper)

    def _gather(self) -> None:
        """Replace those who left: by people who wait, then by open conversations, then by newcomers."""
        self._members = [each for each in self._members if _present(each)]
        if len(self._members) < self._size:
            known = {shopper.person.arn for shopper in self._members}
            self._members.append(self._newcomer(known))

    def _newcomer(self, known: set[str]) -> Shopper:
        waiting = [each for arn, each in self._world.shoppers.items() if arn not in known and _present(each)]
        if waiting:
            return self._chance.choice(waiting)
        dormant = [
            each
            for each in self._world.newest_first()
            if not each.closed and each.customer and each.customer.arn not in known
        ]
        if dormant and self._chance.random() < 0.7:
            return self._storefront.shopper_of(dormant[0])
        queue = self._chance.choice(list(self._world.queues))
        question = self._chance.choice(QUESTIONS)
        return self._storefront.arrive(name=full_name(self._chance), question=question, queue_name=queue)


def _present(shopper: Shopper) -> bool:
    if shopper.conversation is not None:
        return not shopper.conversation.closed
    return shopper.entry is not None
