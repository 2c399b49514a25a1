"""Full-text search over the bodies of messages."""

import re
from datetime import datetime

from sqlalchemy import and_

from ultracart_conversation._archive.arguments import MOST, whole_text
from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.dialect import select_matching
from ultracart_conversation._archive.reading import all_rows, message_in
from ultracart_conversation._archive.schema import messages
from ultracart_conversation._archive.values import Hit
from ultracart_conversation.errors import ConfigurationError

_column = messages.c
_NEWEST_FIRST = (_column.message_epoch.desc(), _column.conversation_message_uuid, _column.conversation_uuid)
_PHRASE = re.compile(r'"([^"]*)(?:"|$)(\*?)|([^\s"]+)')


async def search(
    database: Database, text: str, /, *, since: datetime | None, conversation_uuid: str | None, limit: int
) -> list[Hit]:
    """See `Archive.search`."""
    phrases = phrases_in(text)
    if not phrases:
        raise ConfigurationError("there is nothing to search for: give a word")
    if not 1 <= limit <= MOST:
        raise ConfigurationError(f"limit={limit} is no number of messages to find: it is 1 to {MOST}")
    such = and_(_column.removed_at.is_(None))
    if since is not None:
        such = and_(such, _column.message_epoch >= _epoch(since))
    if conversation_uuid is not None:
        such = and_(such, _column.conversation_uuid == whole_text("conversation_uuid", conversation_uuid))
    rows = await all_rows(database, select_matching(phrases, such=such, order=_NEWEST_FIRST, limit=limit))
    return [
        Hit(conversation_uuid=row.conversation_uuid, message=message_in(row.raw), excerpt=row.excerpt) for row in rows
    ]


def _epoch(since: datetime) -> int:
    if since.tzinfo is None:
        raise ConfigurationError(f"since={since.isoformat()} has no offset: say which zone, for example tzinfo=UTC")
    return int(since.timestamp() * 1000)


def phrases_in(text: str) -> list[tuple[str, bool]]:
    """What somebody typed, as exact phrases and, where True, beginnings; whatever it is, it can be searched for."""
    # An index cannot be asked for a NUL or for half a character.
    clean = text.replace("\0", " ").encode(errors="replace").decode()
    found = [_phrase(*match.groups(default="")) for match in _PHRASE.finditer(clean)]
    return [(phrase, is_prefix) for phrase, is_prefix in found if phrase]


def _phrase(quoted: str, star: str, word: str) -> tuple[str, bool]:
    bare = word.rstrip("*")
    return (quoted.strip(), bool(star)) if not word else (bare, bare != word)
