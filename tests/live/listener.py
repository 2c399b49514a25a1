"""Listens to every logger."""

import logging

LOGGERS = ("", "httpx", "httpcore", "websockets", "ultracart_conversation", "asyncio", "anyio")


class Listener(logging.Handler):
    """Everything that anybody logs, as it would be written and as it was given."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{self.format(record)} {record.args!r} {record.msg!r}")
