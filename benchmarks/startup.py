"""How long the command line takes to start, against a peer that needs the same.

`--version` against `import httpx` alone, which is promised to be less than 1.5; `queues`, up to where it would send
its first request and ends for want of a key, against a bare `httpx.AsyncClient`. Every run is a process of its own.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

_RUNS = 15
_COMMANDS: Mapping[str, Sequence[str]] = {
    "import httpx": ("-c", "import httpx"),
    "httpx.AsyncClient()": ("-c", "import asyncio, httpx; httpx.AsyncClient()"),
    "--version": ("-m", "ultracart_conversation", "--version"),
    "queues": ("-m", "ultracart_conversation", "queues"),
}
_PAIRS = (("--version", "import httpx"), ("queues", "httpx.AsyncClient()"))


def main() -> None:
    """Print one ratio a line."""
    with tempfile.TemporaryDirectory() as bytecode:
        environment = _environment(bytecode)
        _measure(environment)
        rounds = [_measure(environment) for _ in range(_RUNS)]
    median = {name: statistics.median(each[name] for each in rounds) for name in _COMMANDS}
    for ours, peer in _PAIRS:
        print(f"{ours}: {median[ours] / median[peer]:.2f} x {peer}")


def _environment(bytecode: str) -> dict[str, str]:
    """Ours, without a key, and with room to keep bytecode for everybody alike."""
    unwanted = {"ULTRACART_API_KEY", "PYTHONDONTWRITEBYTECODE"}
    return {name: value for name, value in os.environ.items() if name not in unwanted} | {
        "PYTHONPYCACHEPREFIX": bytecode
    }


def _measure(environment: Mapping[str, str]) -> dict[str, float]:
    return {name: _seconds([sys.executable, *command], environment) for name, command in _COMMANDS.items()}


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
