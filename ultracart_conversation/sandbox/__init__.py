"""A local UltraCart, REST and websocket on one port, that needs no account (extra: `sandbox`)."""

from .clock import Clock
from .customer import Customer
from .exchange import Received
from .faults import Fault, FaultKind, Plan
from .flight import Dropped, Reply
from .handshake import Denied, Handshake
from .limits import RateLimits
from .local_socket import Listener, LocalSocket
from .oauth import OAuthServer
from .personality import PERSONALITIES, Personality
from .queues import Agent
from .records import Records
from .sandbox import Sandbox
from .serve import serve
from .service import Service
from .simulation import Simulation
from .socket_faults import SocketFault, SocketFaultKind
from .socket_policy import SocketPolicy
from .sockets import Sockets
from .timeline import Timeline
from .tokens import Tokens
from .traffic import Traffic

__all__ = [
    "PERSONALITIES",
    "Agent",
    "Clock",
    "Customer",
    "Denied",
    "Dropped",
    "Fault",
    "FaultKind",
    "Handshake",
    "Listener",
    "LocalSocket",
    "OAuthServer",
    "Personality",
    "Plan",
    "RateLimits",
    "Received",
    "Records",
    "Reply",
    "Sandbox",
    "Service",
    "Simulation",
    "SocketFault",
    "SocketFaultKind",
    "SocketPolicy",
    "Sockets",
    "Timeline",
    "Tokens",
    "Traffic",
    "serve",
]
