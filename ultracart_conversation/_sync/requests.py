"""What the code that catches up asks for; whoever runs it asks the service and hands the reply back."""

import attrs

from ultracart_conversation.models import Conversation, ConversationMessage, ConversationsResponse


@attrs.frozen
class ReadSince:
    """A page of a conversation's messages since an epoch in milliseconds; the reply is its messages."""

    conversation_uuid: str
    since: int
    limit: int


@attrs.frozen
class ReadWhole:
    """A conversation with as many of its messages as the service gives; the reply is the conversation."""

    conversation_uuid: str


@attrs.frozen
class ListPage:
    """A page of the list of conversations; the reply is the page."""

    offset: int
    limit: int
    before: str | None = None
    """Only conversations before this time, if that is what the service takes it for."""
    medium: str | None = None


Messages = tuple[ConversationMessage, ...]
Request = ReadSince | ReadWhole | ListPage
Reply = Messages | Conversation | ConversationsResponse


def messages_in(reply: Reply) -> Messages:
    """The reply to `ReadSince`."""
    if not isinstance(reply, tuple):
        raise TypeError(f"a page of messages was asked for, not {type(reply).__name__}")
    return reply


def conversation_in(reply: Reply) -> Conversation:
    """The reply to `ReadWhole`."""
    if not isinstance(reply, Conversation):
        raise TypeError(f"a conversation was asked for, not {type(reply).__name__}")
    return reply


def page_in(reply: Reply) -> ConversationsResponse:
    """The reply to `ListPage`."""
    if not isinstance(reply, ConversationsResponse):
        raise TypeError(f"a page of conversations was asked for, not {type(reply).__name__}")
    return reply
