"""A small slice of the fault bench: real short trainings, each judged at every prefix."""

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent / "benchmarks" / "fault_bench.py"


def test_the_slice_names_every_fault_and_raises_no_false_alarm(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH), "--slice", "--json", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout.splitlines()[-1])["tuned on"]
    assert figures["wrong"] == []
    assert (figures["broken"], figures["right"]) == (7, 7)
    assert (figures["healthy"], figures["false_alarms"]) == (2, 0)
    assert figures["healthy_prefixes"] == 20
