"""Models as rows of the tables."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import attrs

from ultracart_conversation._archive.arguments import MOST
from ultracart_conversation._sync.known import digest_of as digest_of_message
from ultracart_conversation._sync.message_order import epoch_of
from ultracart_conversation._sync.sweep import digest_of as digest_of_conversation
from ultracart_conversation._wire.json import dumps
from ultracart_conversation.errors import ArchiveError
from ultracart_conversation.models import ConversationMessage, ConversationParticipant, ConversationSummary

Row = dict[str, Any]

_SUMMARY_FIELDS = tuple(field.name for field in attrs.fields(ConversationSummary))


def summary_of(conversation: ConversationSummary) -> ConversationSummary:
    """Without what only a whole `Conversation` has, such as its messages."""
    if type(conversation) is ConversationSummary:
        return conversation
    return ConversationSummary(**{name: getattr(conversation, name) for name in _SUMMARY_FIELDS})


def conversation_row(uuid: str, conversation: ConversationSummary, *, at: int) -> Row:
    raw = json_of(conversation.to_dict())
    return {
        "conversation_uuid": uuid,
        "conversation_arn": conversation.conversation_arn,
        "medium": _plain(conversation.medium),
        "merchant_id": conversation.merchant_id,
        "closed": conversation.closed,
        "message_count": _whole(conversation.message_count),
        "start_epoch": _milliseconds(conversation.start_dts),
        "last_message_epoch": _milliseconds(conversation.last_message_dts),
        "last_interactive_epoch": _milliseconds(conversation.last_interactive_message_dts),
        "last_message_body": conversation.last_conversation_message_body,
        "digest": digest_of_conversation(conversation),
        "first_seen_at": at,
        "changed_at": at,
        "gone_at": None,
        "raw": raw,
    }


def participant_rows(uuid: str, conversation: ConversationSummary) -> list[Row]:
    """One for each participant; one whose ARN is left out is told apart by its UUID, or by its place."""
    named = {_name_of(each, place): each for place, each in enumerate(conversation.participants)}
    return [_participant_row(uuid, name, each) for name, each in named.items()]


def message_row(uuid: str, key: str, message: ConversationMessage, *, at: int) -> Row:
    raw = json_of(message.to_dict())
    return {
        "conversation_uuid": uuid,
        "conversation_message_uuid": key,
        "message_epoch": max(-MOST, min(epoch_of(message), MOST)),
        "type": _plain(message.type),
        "author_arn": message.author_conversation_participant_arn,
        "author_name": message.author_conversation_participant_name,
        "body": message.body,
        "language_iso_code": message.language_iso_code,
        "client_message_id": message.client_message_id,
        "digest": digest_of_message(message),
        "first_seen_at": at,
        "changed_at": at,
        "removed_at": None,
        "raw": raw,
    }


def attachment_rows(uuid: str, key: str, message: ConversationMessage) -> list[Row]:
    """The addresses first, then the upload keys; which of them are of one file is not said."""
    urls = [{"media_url": url, "upload_key": None, **_file_in(url)} for url in message.media_urls]
    keys = [{"media_url": None, "upload_key": name, **_file_in(name)} for name in message.upload_keys]
    place = {"conversation_uuid": uuid, "conversation_message_uuid": key}
    return [{**place, "position": position, **row} for position, row in enumerate([*urls, *keys])]


def json_of(value: object) -> str:
    """Raises `ArchiveError` for what JSON does not have; what the service sent always can be kept."""
    try:
        return dumps(value).decode()
    except (TypeError, ValueError) as error:
        raise ArchiveError(f"something cannot be kept, as JSON cannot say it ({error}): nothing was written") from error


def _participant_row(uuid: str, name: str, participant: ConversationParticipant) -> Row:
    return {
        "conversation_uuid": uuid,
        "participant_arn": name,
        "name": participant.conversation_participant_name,
        "email": participant.email,
        "sms_phone_number": participant.sms_phone_number,
        "language_iso_code": participant.language_iso_code,
        "joined_epoch": _milliseconds(participant.joined_dts),
        "left_epoch": _milliseconds(participant.left_dts),
        "raw": json_of(participant.to_dict()),
    }


def _name_of(participant: ConversationParticipant, place: int) -> str:
    return (
        participant.conversation_participant_arn or participant.conversation_participant_uuid or f"participant {place}"
    )


def _file_in(address: str) -> Row:
    """The name of the file at a URL or key, as far as its last part is one."""
    path = address.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    name = unquote(path.rpartition("/")[2])
    return {"name": name or None, "extension": PurePosixPath(name).suffix[1:].lower() or None}


def _milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)


def _plain(text: str | None) -> str | None:
    """Without the class of an enum."""
    return None if text is None else str.__str__(text)


def _whole(number: int | None) -> int | None:
    """None for what no database keeps as a number; it stays readable in `raw`."""
    return None if number is None or abs(number) > MOST else number
