"""The socket side of a session: transport, connection loop, watchdog, outbox, buffers."""
