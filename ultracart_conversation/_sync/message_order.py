"""How messages are told apart and put in order."""

from datetime import datetime

from ultracart_conversation.models import ConversationMessage


def epoch_of(message: ConversationMessage) -> int:
    """Milliseconds since 1970, to the second where the service left the epoch out; 0 where it gave no time at all."""
    if message.message_epoch is None and message.message_dts is not None:
        return second_of(message.message_dts)
    return message.message_epoch or 0


def second_of(time: datetime) -> int:
    """A time in milliseconds since 1970, to the second."""
    return int(time.timestamp()) * 1000


def key_of(message: ConversationMessage) -> str:
    """Its UUID; all of it where the service left that out."""
    return message.conversation_message_uuid or repr(message)


def order_of(message: ConversationMessage) -> tuple[int, str]:
    """The order within a conversation: by epoch, and those of one millisecond by UUID."""
    return epoch_of(message), key_of(message)
