"""A client's budget, kept in the archive."""

from collections.abc import Callable

import attrs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.dialect import upsert
from ultracart_conversation._archive.schema import budget
from ultracart_conversation._rest.budget_store import BudgetState

_UPSERT = upsert(budget)
_FIELDS = tuple(field.name for field in attrs.fields(BudgetState))


class ArchivedBudget:
    """A `BudgetStore` in a row of its own; whoever saves under the same name last is remembered."""

    def __init__(self, database: Callable[[], Database], name: str) -> None:
        self._database = database
        self._name = name

    async def load(self) -> BudgetState | None:
        query = select(budget).where(budget.c.name == self._name)

        async def work(connection: AsyncConnection) -> BudgetState | None:
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else BudgetState(**{name: row[name] for name in _FIELDS})

        return await self._database().read(work)

    async def save(self, state: BudgetState) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_UPSERT, {"name": self._name, **attrs.asdict(state)})

        await self._database().write(work)
