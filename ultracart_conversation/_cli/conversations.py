"""`list` and `show`: conversations and what was said in them."""

import sys
from argparse import Namespace

from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.text import local, one_line, wrap
from ultracart_conversation.client import LARGEST_PAGE, ConversationClient
from ultracart_conversation.errors import Undecodable
from ultracart_conversation.models import (
    Conversation,
    ConversationMessage,
    ConversationParticipant,
    ConversationSummary,
)

_DEFAULT_MAX = 100
_ROW = (36, 11, 4, 4, 20, 0)
_NARROW_ROW = (36, 11, 0)
_NARROW = 100
_VIA = {"websocket": "chat"}


async def list_conversations(client: ConversationClient, output: Output, arguments: Namespace) -> None:
    """List conversations from newest to oldest, and say so when the default stops before the end."""
    most: int = _DEFAULT_MAX if arguments.max is None else arguments.max
    size = min(most + 1, LARGEST_PAGE) if most else LARGEST_PAGE
    count = 0
    async for conversation in client.iter_conversations(medium=arguments.medium, limit=size):
        if most and count == most:
            _say_there_is_more(arguments)
            break
        if arguments.json:
            output.json(conversation.to_dict())
        else:
            _write_row(output, conversation, first=count == 0)
        count += 1
    if not count and not arguments.json:
        output.line("no conversations")


def _say_there_is_more(arguments: Namespace) -> None:
    if arguments.max is None:
        sys.stderr.write(f"the newest {_DEFAULT_MAX}; --max 0 lists all\n")


async def show_conversation(client: ConversationClient, output: Output, arguments: Namespace) -> None:
    """Show one conversation with its messages, oldest first."""
    reply = await client.get_conversation(arguments.uuid)
    if reply.conversation is None:
        raise Undecodable("get_conversation: the reply has no conversation")
    if arguments.json:
        output.json(reply.conversation.to_dict())
        return
    _write_head(output, reply.conversation)
    for message in sorted(reply.conversation.messages, key=_age):
        _write_message(output, message)


def _write_row(output: Output, conversation: ConversationSummary, *, first: bool) -> None:
    narrow = output.width is not None and output.width < _NARROW
    if first:
        _write_columns(output, ("CONVERSATION", "LAST", "VIA", "MSGS", "PEOPLE", "LAST WORDS"), narrow=narrow)
    values = (
        one_line(conversation.conversation_uuid),
        local(conversation.last_interactive_message_dts or conversation.last_message_dts),
        _via(conversation),
        str(conversation.message_count or "").rjust(4),
        ", ".join(one_line(each.conversation_participant_name) for each in conversation.participants),
        _last_words(conversation),
    )
    _write_columns(output, values, narrow=narrow)


def _write_columns(output: Output, values: tuple[str, ...], *, narrow: bool) -> None:
    if narrow:
        output.row((*values[:2], values[5]), _NARROW_ROW)
    else:
        output.row(values, _ROW)


def _last_words(conversation: ConversationSummary) -> str:
    author = one_line(conversation.last_conversation_participant_name)
    body = one_line(conversation.last_conversation_message_body)
    unread = "* " if conversation.unread_messages else ""
    return f"{unread}{author}: {body}" if author else f"{unread}{body}"


def _via(conversation: ConversationSummary) -> str:
    medium = one_line(conversation.medium)
    return _VIA.get(medium, medium)


def _write_head(output: Output, conversation: Conversation) -> None:
    state = "closed" if conversation.closed else "open"
    sentiment = conversation.sentiment.sentiment if conversation.sentiment else None
    facts = (
        ("conversation", one_line(conversation.conversation_uuid)),
        ("state", f"{state} {_via(conversation)}, since {local(conversation.start_dts) or 'an unknown time'}"),
        ("sentiment", one_line(sentiment).lower()),
        *(("participant", _participant(each)) for each in conversation.participants),
    )
    for name, value in facts:
        if value:
            output.row((name, value), (12, 0))
    output.line()


def _participant(participant: ConversationParticipant) -> str:
    reached_by = (participant.email, participant.sms_phone_number, participant.status)
    named = one_line(participant.conversation_participant_name) or "nobody"
    return ", ".join([named, *(one_line(each) for each in reached_by if each)])


def _write_message(output: Output, message: ConversationMessage) -> None:
    author = one_line(message.author_conversation_participant_name) or "(system)"
    output.line(f"{local(message.message_dts)}  {author}")
    for line in wrap(message.body or "", output.width - 4 if output.width else sys.maxsize):
        output.line(f"    {line}")
    for url in message.media_urls:
        output.line(f"    [{one_line(url)}]")


def _age(message: ConversationMessage) -> tuple[int, str]:
    return message.message_epoch or 0, message.conversation_message_uuid or ""
