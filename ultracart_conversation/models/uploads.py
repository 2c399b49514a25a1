"""Where to put a file that a message shall carry."""

import attrs

from ultracart_conversation.models.envelope import Response
from ultracart_conversation.models.model import Model, without_query


@attrs.frozen(kw_only=True, repr=False)
class ConversationMultimediaUploadUrl(Model):
    """A presigned `url` to put the bytes to, and the `key` to name them by. The signature stays out of the `repr`."""

    key: str | None = None
    url: str | None = attrs.field(default=None, repr=without_query)


@attrs.frozen(kw_only=True, repr=False)
class ConversationMultimediaUploadUrlResponse(Response):
    """Reply to `get_conversation_multimedia_upload_url`."""

    conversation_multimedia_upload_url: ConversationMultimediaUploadUrl | None = None
