CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE conversations (
    conversation_uuid TEXT NOT NULL,
    conversation_arn TEXT,
    medium TEXT,
    merchant_id TEXT,
    closed BOOLEAN,
    message_count INTEGER,
    start_epoch BIGINT,
    last_message_epoch BIGINT,
    last_interactive_epoch BIGINT,
    last_message_body TEXT,
    digest BLOB NOT NULL,
    first_seen_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    gone_at BIGINT,
    raw TEXT NOT NULL,
    PRIMARY KEY (conversation_uuid)
);

CREATE TABLE participants (
    conversation_uuid TEXT NOT NULL,
    participant_arn TEXT NOT NULL,
    name TEXT,
    email TEXT,
    sms_phone_number TEXT,
    language_iso_code TEXT,
    joined_epoch BIGINT,
    left_epoch BIGINT,
    raw TEXT NOT NULL,
    PRIMARY KEY (conversation_uuid, participant_arn)
);

CREATE TABLE messages (
    id INTEGER NOT NULL,
    conversation_uuid TEXT NOT NULL,
    conversation_message_uuid TEXT NOT NULL,
    message_epoch BIGINT NOT NULL,
    type TEXT,
    author_arn TEXT,
    author_name TEXT,
    body TEXT,
    language_iso_code TEXT,
    client_message_id TEXT,
    digest BLOB NOT NULL,
    first_seen_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    raw TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (conversation_uuid, conversation_message_uuid)
);

CREATE INDEX messages_of_conversation ON messages (conversation_uuid, message_epoch);

CREATE INDEX messages_by_time ON messages (message_epoch, conversation_message_uuid);

CREATE TABLE revisions (
    id INTEGER NOT NULL,
    conversation_uuid TEXT NOT NULL,
    conversation_message_uuid TEXT NOT NULL,
    replaced_at BIGINT NOT NULL,
    raw TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX revisions_of_message ON revisions (conversation_uuid, conversation_message_uuid);

CREATE TABLE attachments (
    conversation_uuid TEXT NOT NULL,
    conversation_message_uuid TEXT NOT NULL,
    position INTEGER NOT NULL,
    media_url TEXT,
    upload_key TEXT,
    name TEXT,
    extension TEXT,
    PRIMARY KEY (conversation_uuid, conversation_message_uuid, position)
);

CREATE TABLE outbox (
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    conversation_uuid TEXT NOT NULL,
    conversation_message_uuid TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (seq)
);

CREATE TABLE cursors (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE positions (
    conversation_uuid TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (conversation_uuid)
);

CREATE TABLE claims (
    name TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    claimed_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE budget (
    name TEXT NOT NULL,
    saved_at FLOAT NOT NULL,
    hour FLOAT NOT NULL,
    day FLOAT NOT NULL,
    in_flight INTEGER NOT NULL,
    paused_until FLOAT NOT NULL,
    share FLOAT NOT NULL,
    PRIMARY KEY (name)
);

