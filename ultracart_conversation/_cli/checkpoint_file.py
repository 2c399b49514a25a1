"""Where `tail` goes on: a session's checkpoint in a file."""

import json
from pathlib import Path
from typing import Any

from ultracart_conversation._cli.impossible import Impossible
from ultracart_conversation._sync.checkpoint import Checkpoint
from ultracart_conversation._wire.private_file import replace_file
from ultracart_conversation.errors import ConfigurationError


class CheckpointFile:
    """A JSON file, mode 0600, that is replaced in one step; raises `Impossible` when it cannot be used."""

    def __init__(self, path: str, *, base_url: str) -> None:
        self._path = Path(path)
        self._base_url = base_url
        self._stored: dict[str, Any] | None = None

    def load(self) -> Checkpoint | None:
        """What was saved last; None when there is no such file yet."""
        try:
            stored = json.loads(self._path.read_bytes())
            of, checkpoint = stored["base_url"], Checkpoint.from_dict(stored["checkpoint"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Impossible(f"the checkpoint {self._path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, ConfigurationError) as error:
            raise Impossible(f"{self._path} holds no checkpoint that can be used: {error}") from None
        if of != self._base_url:
            raise Impossible(f"the checkpoint {self._path} is of {of}, not of {self._base_url}: use another file")
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep `checkpoint`, unless it says nothing new, or nothing at all yet."""
        content = {"base_url": self._base_url, "checkpoint": checkpoint.to_dict()}
        if checkpoint.mark is None or content == self._stored:
            return
        try:
            replace_file(self._path, json.dumps(content).encode())
        except OSError as error:
            raise Impossible(f"the checkpoint {self._path} cannot be written: {error.strerror}") from None
        self._stored = content
