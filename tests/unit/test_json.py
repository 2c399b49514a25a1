"""JSON with orjson and without: the same texts, the same refusals."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
if {without}:
    sys.modules["orjson"] = None
from ultracart_conversation._wire.json import dumps, loads
assert loads(b'{{"a": [1, 2.5, null, true, "\\\\u2713"]}}') == {{"a": [1, 2.5, None, True, "\\u2713"]}}
assert dumps({{"a": [1, 2.5, None, True, "\\u2713"]}}) == '{{"a":[1,2.5,null,true,"\\u2713"]}}'.encode()
for bad in (b"", b"<html>", b'{{"a": 1', b"[NaN]", b'["\\xff"]', b"[" * 100_000):
    try:
        loads(bad)
    except (ValueError, RecursionError):
        continue
    raise AssertionError(bad[:10])
print("orjson" in sys.modules and sys.modules["orjson"] is not None)
"""


@pytest.mark.parametrize("without", [True, False])
def test_both_ways(without: bool) -> None:
    script = SCRIPT.format(without=without)
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == str(not without), run.stderr
