"""Tokens on disk, readable by their owner alone."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE
from typing import Any, cast

from ultracart_conversation._wire.private_file import replace_file
from ultracart_conversation.config import base_url_from_env
from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.oauth.tokens import Tokens

_FIELDS = ("client_id", "access_token", "refresh_token", "expires_at", "scope", "merchant_id")
_DAMAGED = "is damaged: remove it and log in again"


def default_path(environment: Mapping[str, str] = os.environ) -> Path:
    """`ultracart-conversation/tokens.json` in `XDG_CONFIG_HOME`, which is `~/.config` unless set to a full path."""
    configured = Path(environment.get("XDG_CONFIG_HOME", ""))
    folder = configured if configured.is_absolute() else Path.home() / ".config"
    return folder / "ultracart-conversation" / "tokens.json"


class TokenFile:
    """A JSON file with one login for each base URL, mode 0600; serves as `on_tokens` of `OAuth`.

    Tokens never go to another server than the one that issued them. The file is replaced in one step, so a reader
    sees the old one or the new one. `base_url` is as for `ConversationClient`. Reading and writing raise
    `ConfigurationError` for a file that others may read, or that cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, base_url: str | None = None) -> None:
        self.path: Path = default_path() if path is None else Path(path)
        self.base_url: str = (base_url or base_url_from_env()).rstrip("/")

    def __repr__(self) -> str:
        return f"TokenFile({str(self.path)!r}, base_url={self.base_url!r})"

    def __call__(self, tokens: Tokens) -> None:
        """Store `tokens` in place of those that were stored for this base URL."""
        self._update(tokens)

    def load(self) -> Tokens | None:
        """The stored tokens for this base URL; None when there are none."""
        tokens = _tokens(self._read().get(self.base_url))
        if isinstance(tokens, str):
            raise self._unusable(tokens)
        return tokens

    def forget(self) -> None:
        """Remove the tokens for this base URL."""
        self._update(None)

    def _update(self, tokens: Tokens | None) -> None:
        # What is raised is raised outside of the frames that hold tokens, as a traceback may show their variables.
        problem = self._try_update(self._read(), tokens)
        if problem is not None:
            raise self._unusable(problem)

    def _read(self) -> dict[str, Any]:
        logins = self._try_read()
        if isinstance(logins, str):
            raise self._unusable(logins)
        return logins

    def _unusable(self, problem: str) -> ConfigurationError:
        return ConfigurationError(f"the token file {self.path} {problem}")

    def _try_read(self) -> dict[str, Any] | str:
        """The logins by base URL, or what is wrong with the file."""
        try:
            with self.path.open("rb") as file:
                # Windows has no such modes, and keeps the files of a user's profile from others anyway.
                if os.name == "posix" and S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    return "can be read by others: log in again after removing it, or chmod 600 it"
                logins = json.load(file)
        except FileNotFoundError:
            return {}
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except ValueError:
            return _DAMAGED
        return cast("dict[str, Any]", logins) if isinstance(logins, dict) else _DAMAGED

    def _try_update(self, logins: dict[str, Any], tokens: Tokens | None) -> str | None:
        """What is wrong, if anything."""
        if tokens is not None:
            logins[self.base_url] = {name: getattr(tokens, name) for name in _FIELDS}
        elif logins.pop(self.base_url, None) is None:
            return None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self.path, json.dumps(logins, indent=2).encode())
        except OSError as error:
            return f"cannot be written: {error.strerror}"
        return None


def _tokens(record: object) -> Tokens | str | None:
    """The tokens in `record`, None for none, or what is wrong with them."""
    if record is None:
        return None
    if not isinstance(record, dict):
        return _DAMAGED
    values: dict[str, Any] = {name: cast("dict[str, Any]", record).get(name) for name in _FIELDS}
    texts = (value for name, value in values.items() if name != "expires_at" and value is not None)
    if not values["client_id"] or not values["access_token"] or not all(isinstance(text, str) for text in texts):
        return _DAMAGED
    if not isinstance(values["expires_at"], int | float | None):
        return _DAMAGED
    return Tokens(**values)
