"""JSON with orjson and without: the same texts, the same refusals."""

import subprocess
import sys

import pytest

CUT = rb'{"\udc00": ["\ud83d", "\ud83d\ude00", "\\ud83d", 1.5, null]}'
"""Halves of characters, a whole one, and what only looks like one."""
SCRIPT = """
import sys
CUT = {cut!r}
if {without}:
    sys.modules["orjson"] = None
from ultracart_conversation._wire.json import dumps, json_object, loads
assert loads(b'{{"a": [1, 2.5, null, true, "\\\\u2713"]}}') == {{"a": [1, 2.5, None, True, "\\u2713"]}}
assert dumps({{"a": [1, 2.5, None, True, "\\u2713"]}}) == '{{"a":[1,2.5,null,true,"\\u2713"]}}'.encode()
cut = loads(CUT)
assert cut == {{"\\ufffd": ["\\ufffd", "\\U0001f600", "\\\\ud83d", 1.5, None]}}, cut
assert loads(dumps(cut)) == cut
assert loads(b"[1e300, -2.5E-3, 1e-999]") == [1e300, -0.0025, 0.0]
large = (b"1e999", b"[-1.5E+400]", rb'["\\ud83d", 1e999]')
for bad in (*large, b"", b"<html>", b'{{"a": 1', b"[NaN]", b'["\\xff"]', b"[" * 100_000):
    try:
        loads(bad)
    except (ValueError, RecursionError):
        continue
    raise AssertionError(bad[:10])
for bad in (b"", b"7", b"[]", b"{{", "\\ud800", b'{{"a":' * 100_000):
    assert json_object(bad) is None, bad[:10]
assert json_object('{{"a": "\u2713"}}') == json_object('{{"a": "\u2713"}}'.encode()) == {{"a": "\u2713"}}
print("orjson" in sys.modules and sys.modules["orjson"] is not None)
"""


@pytest.mark.parametrize("without", [True, False])
def test_both_ways(without: bool) -> None:
    script = SCRIPT.format(without=without, cut=CUT)
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == str(not without), run.stderr
