"""The sandbox as a program of its own: says when it is ready, logs, ends on a signal."""

import json
import signal
import subprocess
import sys

import httpx
import pytest

PROGRAM = """
import asyncio, json
from ultracart_conversation.sandbox import serve
asyncio.run(serve("127.0.0.1", 0, seed=7, customers=3, conversations=5, control=True, rate=50.0,
                  ready=lambda facts: print(json.dumps(facts), flush=True)))
"""


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_on_a_signal(signal_number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        headers = {"X-UltraCart-Api-Version": "2017-03-01", "x-ultracart-simple-key": facts["api_key"]}
        url = f"{facts['base_url']}/conversation/conversations"
        response = httpx.get(url, headers=headers, verify=False)
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=10)
    assert len(response.json()["conversations"]) >= 5
    assert process.returncode == 0
    assert out == ""
    assert err.strip().endswith("GET /rest/v2/conversation/conversations -> 200 (get_conversations)")
    assert len(err.splitlines()) == 1
