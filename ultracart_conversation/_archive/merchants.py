"""Whose conversations an archive holds, so that those of two accounts are not mixed."""

import json
from collections.abc import Collection, Sequence

import attrs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.dialect import upsert
from ultracart_conversation._archive.rows import json_of
from ultracart_conversation._archive.schema import conversations, cursors
from ultracart_conversation.errors import ArchiveError

_NAME = "merchants"
_FEW = 10
"""Rows of which fewer may all be of a linked account that never showed before."""


@attrs.frozen
class _Kept:
    """The merchants of the archive, and the claim whose first rows were compared with them."""

    ids: frozenset[str]
    epoch: int | None


async def take_merchants(connection: AsyncConnection, ids: Sequence[str], *, epoch: int) -> None:
    """Remember whose rows these are, one for each; raises `ArchiveError` when the first of a claim are of nobody known.

    A few may be, and so may later ones: linked accounts share a list, and a batch may be of one of them. Another
    account's list begins with a page of rows that are all new.
    """
    if not ids:
        return
    kept = await _kept(connection)
    if kept.epoch != epoch and kept.ids and len(ids) >= _FEW and kept.ids.isdisjoint(ids):
        raise ArchiveError(
            f"the archive holds conversations of merchant {_listed(kept.ids)} and these are of {_listed(ids)}: nothing "
            "was written; give these a file of their own"
        )
    if kept.epoch != epoch or not kept.ids.issuperset(ids):
        value = {"ids": sorted(kept.ids.union(ids)), "epoch": epoch}
        await connection.execute(upsert(cursors), {"name": _NAME, "value": json_of(value)})


async def _kept(connection: AsyncConnection) -> _Kept:
    value = await connection.scalar(select(cursors.c.value).where(cursors.c.name == _NAME))
    if value is not None:
        noted = json.loads(value)
        return _Kept(frozenset(noted["ids"]), noted["epoch"])
    # Its rows were written by a package that did not note whose they are.
    column = conversations.c.merchant_id
    found = await connection.scalars(select(column).where(column.is_not(None), column != "").distinct())
    return _Kept(frozenset(found), None)


def _listed(ids: Collection[str]) -> str:
    return ", ".join(sorted(set(ids)))
