"""How the websocket side behaves where UltraCart's documents are silent: the switches, with what is inferred."""

from typing import Literal, get_args

from attrs import define, field
from attrs.validators import ge, gt, in_, optional

Audience = Literal["participants", "everyone"]
FanOut = Literal["all", "newest"]
_GRACE: float | None = 30.0


@define(slots=False, kw_only=True, eq=False)
class SocketPolicy:
    """Switches that may be turned at any time; ValueError for a value that none of them knows.

    Idle limit (10 min) and age limit (2 h) are those documented for AWS API Gateway, which UltraCart's service is
    inferred to use; that it makes an agent unavailable whose connection died is inferred, and the delay is a guess.
    All seconds are those of the sandbox's clock.
    """

    echo: bool = True
    """Whether a socket gets back the messages that it sent; the agent's other sockets get them in any case."""
    echo_ids: bool = True
    """Whether pushed messages carry their `client_message_id`; over REST they always do."""
    audience: Audience = field(default="participants", validator=in_(get_args(Audience)))
    """Who gets whole messages and typing: the agents in the conversation, or every agent. Summaries go to all."""
    fan_out: FanOut = field(default="all", validator=in_(get_args(FanOut)))
    """Which sockets of one agent get pushes: all of them, or the one opened last (the older ones stay open)."""
    frame_limit: int | None = field(default=None, validator=optional(gt(0)))
    """Bytes that one incoming frame may have before 1009; None = only messages are limited, to 128 KiB.

    AWS API Gateway documents 32 KiB.
    """
    answers_pings: bool = True
    """Whether a client's `{"type": "ping"}` is answered with the same."""
    ping_every: float | None = field(default=None, validator=optional(gt(0.0)))
    """Seconds between the `{"type": "ping"}` that the server sends by itself; None = it sends none."""
    idle_limit: float = field(default=600.0, validator=gt(0.0))
    """Seconds since the client's last frame before 1001; what the server sends does not count."""
    age_limit: float = field(default=7200.0, validator=gt(0.0))
    """Seconds that a socket may be open before 1001."""
    disconnect_grace: float | None = field(default=_GRACE, validator=optional(ge(0.0)))
    """Seconds after an agent's last socket ended until they are unavailable in every queue; None = never."""
