"""Messages, and how far they came."""

from datetime import datetime

import attrs

from ultracart_conversation.models.enums import MessageType, TransportStatus
from ultracart_conversation.models.envelope import Response
from ultracart_conversation.models.model import Model


@attrs.frozen(kw_only=True, repr=False)
class ConversationMessageTranslation(Model):
    """A message's body in another language."""

    body: str | None = None
    language_iso_code: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationMessageTransportStatus(Model):
    """How far a message came on its way to one participant."""

    conversation_participant_arn: str | None = None
    status: TransportStatus | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationMessage(Model):
    """One message. `message_epoch` is in milliseconds since 1970 (documented); several messages may share one."""

    author_conversation_participant_arn: str | None = None
    author_conversation_participant_name: str | None = None
    body: str | None = None
    client_message_id: str | None = None
    conversation_message_uuid: str | None = None
    delay_until_dts: datetime | None = None
    language_iso_code: str | None = None
    media_urls: tuple[str, ...] = ()
    merchant_id: str | None = None
    message_dts: datetime | None = None
    message_epoch: int | None = None
    message_type: str | None = None
    translations: tuple[ConversationMessageTranslation, ...] = ()
    transport_statuses: tuple[ConversationMessageTransportStatus, ...] = ()
    type: MessageType | None = None
    upload_keys: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class ConversationMessagesResponse(Response):
    """Reply to `get_conversation_messages`."""

    conversation_messages: tuple[ConversationMessage, ...] = ()
