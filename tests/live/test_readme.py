"""The README's code runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.contract import MODELS, OPERATIONS
from tests.live.test_fault_matrix import ADDRESSES, CASES
from ultracart_conversation import OpenEnum, models
from ultracart_conversation.sandbox import Fault, Sandbox

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


SPANS = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))
"""


def run(sandbox: Sandbox, folder: Path, *command: str) -> str:
    environment = os.environ | {"ULTRACART_API_KEY": sandbox.api_key, "ULTRACART_BASE_URL": sandbox.base_url}
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.mark.ultracart_sandbox(conversations=12, customers=3)
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(README[: README.index(block)].count("\n")))
def test_the_block_runs(ultracart_sandbox: Sandbox, tmp_path: Path, block: str) -> None:
    file = tmp_path / "test_block.py"
    file.write_text(block)
    if "def test_" in block:
        command = [sys.executable, "-m", "pytest", "-q", "-k", "asyncio", str(file)]
        assert "1 passed" in run(ultracart_sandbox, tmp_path, *command)
    else:
        assert run(ultracart_sandbox, tmp_path, sys.executable, "-W", "error", str(file))


def test_the_spans_are_named_by_template(ultracart_sandbox: Sandbox, tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if "opentelemetry" in block]
    file = tmp_path / "spans.py"
    file.write_text(SPANS + block + "\nprint(*(span.name for span in spans.get_finished_spans()), sep='\\n')\n")
    ultracart_sandbox.faults.add(Fault(kind="status", status=503))
    names = run(ultracart_sandbox, tmp_path, sys.executable, str(file)).splitlines()[1:]
    assert names == [
        "GET /conversation/conversations",
        "GET /conversation/conversations",
        "GET /conversation/conversations/{conversation_uuid}",
    ]


@pytest.mark.ultracart_sandbox(conversations=12)
def test_the_metrics_are_what_prometheus_reads(ultracart_sandbox: Sandbox, tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if "prometheus_client" in block]
    file = tmp_path / "metrics.py"
    file.write_text(block)
    metrics = {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(run(ultracart_sandbox, tmp_path, sys.executable, str(file)))
        for sample in family.samples
    }
    messages = sum(len(ultracart_sandbox.snapshot(uuid)["messages"]) for uuid in ultracart_sandbox.conversation_uuids)
    assert metrics["ultracart_messages_total"] == messages
    assert metrics["ultracart_requests_totalhistory"] == ultracart_sandbox.request_counts["get_conversation_messages"]
    assert metrics["ultracart_requests_totallist"] == ultracart_sandbox.request_counts["get_conversations"]
    assert metrics["ultracart_backlog"] == metrics["ultracart_quarantined"] == 0
    assert metrics["ultracart_lag_seconds_bucket+Inf"] == metrics["ultracart_lag_seconds_count"]
    assert metrics["ultracart_complete_through"] > 0


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:tests|benchmarks)/[\w/*.]*)`", README))
    assert named
    assert [pattern for pattern in named if not list(ROOT.glob(pattern.rstrip("/")))] == []


def test_the_counts_it_gives() -> None:
    enums = [name for name in models.__all__ if issubclass(getattr(models, name), OpenEnum)]
    assert f"{len(CASES) + len(ADDRESSES)} faults of the wire times {len(OPERATIONS)} operations" in README
    assert f"{len(OPERATIONS)} operations, {len(MODELS)} models and {len(enums)} enums" in README
