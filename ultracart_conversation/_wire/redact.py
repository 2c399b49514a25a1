"""Keeping secrets out of the logs of the libraries below us."""

import logging
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

_secrets: Counter[str] = Counter()


class _WithoutSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for secret in _secrets:
            if secret in text:
                text = text.replace(secret, "***")
                record.msg, record.args = text, None
        return True


def watch(logger: logging.Logger) -> None:
    """Let `logger` itself (not its children) say nothing that is `hidden_from_logs`."""
    if not any(isinstance(known, _WithoutSecrets) for known in logger.filters):
        logger.addFilter(_WithoutSecrets())


@contextmanager
def hidden_from_logs(secret: str) -> Generator[None]:
    """Show `***` for `secret` in the watched loggers while this block runs."""
    _secrets[secret] += bool(secret)
    try:
        yield
    finally:
        _secrets[secret] -= 1
        if _secrets[secret] <= 0:
            del _secrets[secret]
