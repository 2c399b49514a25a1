"""How messages are told apart and put in order."""

from ultracart_conversation.models import ConversationMessage


def epoch_of(message: ConversationMessage) -> int:
    """Milliseconds since 1970; 0 where the service left it out."""
    return message.message_epoch or 0


def key_of(message: ConversationMessage) -> str:
    """Its UUID; all of it where the service left that out."""
    return message.conversation_message_uuid or repr(message)


def order_of(message: ConversationMessage) -> tuple[int, str]:
    """The order within a conversation: by epoch, and those of one millisecond by UUID."""
    return epoch_of(message), key_of(message)
