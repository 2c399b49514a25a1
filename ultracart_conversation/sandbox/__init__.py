"""A local UltraCart, REST and websocket on one port, that needs no account (extra: `sandbox`)."""

from .clock import Clock
from .customer import Customer
from .exchange import Received
from .faults import Fault, FaultKind, Plan
from .handshake import Handshake
from .limits import RateLimits
from .oauth import OAuthServer
from .personality import PERSONALITIES, Personality
from .queues import Agent
from .sandbox import Sandbox
from .serve import serve
from .socket_faults import SocketFault, SocketFaultKind
from .sockets import Sockets
from .tokens import Tokens

__all__ = [
    "PERSONALITIES",
    "Agent",
    "Clock",
    "Customer",
    "Fault",
    "FaultKind",
    "Handshake",
    "OAuthServer",
    "Personality",
    "Plan",
    "RateLimits",
    "Received",
    "Sandbox",
    "SocketFault",
    "SocketFaultKind",
    "Sockets",
    "Tokens",
    "serve",
]
