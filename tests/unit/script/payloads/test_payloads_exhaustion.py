"""Programs that would never end or use up the memory. Each must end within seconds and 3 GB of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
RUNNER = """
import resource, sys, time
sys.path[:0] = [sys.argv[1], sys.argv[2]]
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
import test_payloads_escapes as payloads
slow = []
for text in payloads.rows(sys.argv[3]):
    started = time.process_time()
    value, _ = payloads.outcome(text, evaluator=sys.argv[4])
    took = time.process_time() - started
    if took > 4 or isinstance(value, MemoryError):
        slow.append((text, round(took, 1), type(value).__name__))
print("ended", len(payloads.rows(sys.argv[3])), slow)
"""


@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
@pytest.mark.parametrize("name", ["hangs.txt", "memory.txt"])
def test_every_payload_ends_by_itself(name: str, evaluator: str) -> None:
    command = [sys.executable, "-c", RUNNER, str(FOLDER), str(FOLDER.parents[2]), name, evaluator]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    count = sum(bool(line) and not line.startswith("# ") for line in (FOLDER / name).read_text("utf-8").splitlines())
    assert done.stdout.strip() == f"ended {count} []", done.stderr[-2000:]
