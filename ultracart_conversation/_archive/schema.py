"""The tables of an archive. They are documented in the README, and any tool may read them.

Times are milliseconds since 1970, `*_at` by our clock and `*_epoch` by the service's. `raw` is JSON as the service gave
it. What the service no longer has stays, with `gone_at` or `removed_at`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

# SQLite numbers rows by itself only when their key is called INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

schema_version = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("applied_at", BigInteger, nullable=False),
)

conversations = Table(
    "conversations",
    METADATA,
    Column("conversation_uuid", Text, primary_key=True),
    Column("conversation_arn", Text),
    Column("medium", Text),
    Column("merchant_id", Text),
    Column("closed", Boolean),
    Column("message_count", Integer),
    Column("start_epoch", BigInteger),
    Column("last_message_epoch", BigInteger),
    Column("last_interactive_epoch", BigInteger),
    Column("last_message_body", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("gone_at", BigInteger),
    Column("raw", Text, nullable=False),
)

participants = Table(
    "participants",
    METADATA,
    Column("conversation_uuid", Text, primary_key=True),
    Column("participant_arn", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("sms_phone_number", Text),
    Column("language_iso_code", Text),
    Column("joined_epoch", BigInteger),
    Column("left_epoch", BigInteger),
    Column("raw", Text, nullable=False),
)

messages = Table(
    "messages",
    METADATA,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_uuid", Text, nullable=False),
    Column("conversation_message_uuid", Text, nullable=False),
    Column("message_epoch", BigInteger, nullable=False),
    Column("type", Text),
    Column("author_arn", Text),
    Column("author_name", Text),
    Column("body", Text),
    Column("language_iso_code", Text),
    Column("client_message_id", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("raw", Text, nullable=False),
    UniqueConstraint("conversation_uuid", "conversation_message_uuid"),
    Index("messages_by_time", "message_epoch", "conversation_message_uuid"),
    Index("messages_of_conversation", "conversation_uuid", "message_epoch"),
)

revisions = Table(
    "revisions",
    METADATA,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_uuid", Text, nullable=False),
    Column("conversation_message_uuid", Text, nullable=False),
    Column("replaced_at", BigInteger, nullable=False),
    Column("raw", Text, nullable=False),
    Index("revisions_of_message", "conversation_uuid", "conversation_message_uuid"),
)
"""What messages said before they were updated."""

attachments = Table(
    "attachments",
    METADATA,
    Column("conversation_uuid", Text, primary_key=True),
    Column("conversation_message_uuid", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("media_url", Text),
    Column("upload_key", Text),
    Column("name", Text),
    Column("extension", Text),
)
"""The files of messages, as far as their addresses tell; the files themselves are not fetched."""

outbox = Table(
    "outbox",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("conversation_uuid", Text, nullable=False),
    Column("conversation_message_uuid", Text),
    Column("at", BigInteger, nullable=False),
)
"""The change feed: numbers without a gap, in the order in which the changes were committed."""

cursors = Table(
    "cursors",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Where those who read and write stand: `poller`, and `consumer/NAME` for each reader of the change feed. JSON."""

positions = Table(
    "positions",
    METADATA,
    Column("conversation_uuid", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Where the poller stands in each conversation. JSON."""

claims = Table(
    "claims",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
)
"""Who may write: only the holder of the latest epoch."""

budget = Table(
    "budget",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("saved_at", Float, nullable=False),
    Column("hour", Float, nullable=False),
    Column("day", Float, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("paused_until", Float, nullable=False),
    Column("share", Float, nullable=False),
)
"""What of the service's limits is used up, so that a restart does not forget it."""
