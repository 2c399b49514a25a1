"""Certificates for servers of our own."""

import ssl
from functools import cache

import trustme


@cache
def authority() -> trustme.CA:
    """Who signs them."""
    return trustme.CA()


def server_context(*names: str) -> ssl.SSLContext:
    """Of a server that is called so (localhost, where nothing is said)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*(names or ("localhost",))).configure_cert(context)
    return context


def client_context(signer: trustme.CA | None = None) -> ssl.SSLContext:
    """Of a client that trusts nobody else."""
    return ssl.create_default_context(cadata=(signer or authority()).cert_pem.bytes().decode())
