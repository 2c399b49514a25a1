"""What callers give, checked before a database is asked with it."""

from ultracart_conversation.errors import ConfigurationError

MOST = 2**63 - 1
"""The largest number that a database counts to."""


def whole_text(name: str, text: str) -> str:
    """The text; raises `ConfigurationError` where half a character is in it, which no database looks up."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{name}={text!r} has half a character in it: give whole ones") from None
    return text
