"""kill -9 at random moments, resumes and a live reader: the benchmark's torture, small and long."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent.parent / "benchmarks" / "runlog.py"


def tortured(*, kills: int, seed: int) -> list[dict]:
    command = [sys.executable, str(BENCH), "torture", "--kills", str(kills), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_kill_9_loses_no_acknowledged_row_and_no_reader_sees_a_wrong_one():
    runs = tortured(kills=15, seed=4)
    assert [run["wrong"] for run in runs] == [[]] * len(runs)
    assert sum(run["kills"] for run in runs) == 15
    for run in runs:
        assert run["rows"] >= run["acknowledged"] > 0
        assert run["parts"] > 0
        assert run["polls"] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_kills_over_several_runs_lose_nothing():
    runs = tortured(kills=100, seed=100)
    assert [run["wrong"] for run in runs] == [[]] * len(runs)
    assert sum(run["kills"] for run in runs) == 100
    assert sum(run["half_made"] for run in runs) > 0
