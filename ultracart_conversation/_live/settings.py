"""How a session behaves, all of it in one value."""

import attrs

from ultracart_conversation.config import Backoff, Buffering, Heartbeat, Rotation, Sending, Sweeping
from ultracart_conversation.dialect import Dialect


@attrs.frozen(kw_only=True)
class Settings:
    """What `AgentSession` was told, or the defaults."""

    dialect: Dialect
    backoff: Backoff
    heartbeat: Heartbeat
    rotation: Rotation
    sweeping: Sweeping
    buffering: Buffering
    sending: Sending
    keepalive: float
    allow_insecure: bool
