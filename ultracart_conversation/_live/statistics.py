"""How a session does, in numbers."""

import attrs

from ultracart_conversation._live.connection import ConnectionStatistics
from ultracart_conversation._live.keepalive import KeepaliveStatistics
from ultracart_conversation._live.runtime import Runtime
from ultracart_conversation._live.subscription import ConsumerStatistics
from ultracart_conversation.delivery import SendingStatistics
from ultracart_conversation.state import SessionState


@attrs.frozen(kw_only=True)
class SessionStatistics:
    """How a session does; all counts are since it began."""

    state: SessionState
    connection: ConnectionStatistics
    keepalive: KeepaliveStatistics
    sending: SendingStatistics
    consumers: tuple[ConsumerStatistics, ...]
    """The session's own iteration first, then those of `subscribe`."""
    frames: int
    """Frames that the websockets brought, pings included."""
    pings: int
    """Pings among them."""
    unknown: int
    """Frames among them that fit no event, the gateway's error objects included."""
    garbage: int
    """Frames among them that were no JSON objects."""
    duplicates: int
    """Messages that were pushed and had been handed over before."""
    replayed: int
    """Messages that were read by REST and not pushed before."""
    missed: int
    """Messages that the open websocket should have brought."""
    sweeps: int
    """How often the list of conversations was compared with what was handed over."""
    conversations: int
    """Conversations that are followed."""
    unresolved: int
    """Conversations that are not proven to be complete now."""


def statistics_of(runtime: Runtime) -> SessionStatistics:
    """The numbers of now."""
    intake, counts = runtime.intake, runtime.intake.counts
    return SessionStatistics(
        state=runtime.loop.state,
        connection=runtime.loop.statistics(),
        keepalive=runtime.keepalive.statistics(),
        sending=runtime.sender.statistics(),
        consumers=tuple(consumer.statistics() for consumer in runtime.consumers),
        frames=counts.frames,
        pings=counts.pings,
        unknown=counts.unknown,
        garbage=counts.garbage,
        duplicates=counts.duplicates,
        replayed=counts.replayed,
        missed=counts.missed,
        sweeps=runtime.catching_up.sweeps,
        conversations=len(intake.ledger.tracks),
        unresolved=len(intake.unresolved),
    )
