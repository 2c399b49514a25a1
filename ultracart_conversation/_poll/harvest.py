"""What a poller found and did not keep yet."""

import attrs

from ultracart_conversation.changes import Change
from ultracart_conversation.models import ConversationSummary


@attrs.define
class Harvest:
    """Rows of the list, and what was read."""

    rows: list[ConversationSummary] = attrs.Factory(list[ConversationSummary])
    changes: list[Change] = attrs.Factory(list[Change])
