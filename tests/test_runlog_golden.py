"""The golden runs: what any released version wrote is read for ever, to the last bit."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from golden.make import FOLDER, KINDS, RESUMED, ROWS, SETTINGS, STOPPED, row

from runlog import RunLog, Tail, finalize, open_run
from runlog.records import FORMAT

RUNS = sorted(path for path in FOLDER.glob("[0-9]*/*") if path.name in KINDS)
STATES = {
    "finished": ("finished", "The run reached its planned end."),
    "crashed": ("crashed", "ValueError: boom"),
}


@pytest.fixture(params=RUNS, ids=lambda path: f"{path.parent.name}-{path.name}")
def golden(request, tmp_path):
    """A copy of a golden run whose writer has been silent for long."""
    path = tmp_path / request.param.name
    shutil.copytree(request.param, path)
    os.utime(path / ".lock", (0, 0))
    return path


def cells(run, name):
    """A column of a run as Python's values, null as None."""
    if run.types[name].startswith("list<"):
        lists = run.lists(name)
        there = [
            [v if p else None for v, p in zip(lists[i].tolist(), present, strict=True)]
            for i in range(len(lists))
            for present in [lists.entry_present[lists.offsets[i] : lists.offsets[i + 1]]]
        ]
        return [c if p else None for c, p in zip(there, lists.present, strict=True)]
    column = run.column(name)
    kind = {"int64": int, "bool": bool}.get(run.types[name], lambda cell: cell)
    pairs = zip(column.values.tolist(), column.present, strict=True)
    return [kind(cell) if present else None for cell, present in pairs]


def assert_is_golden(run):
    assert (run.attempts, run.attempt) == (2, 2)
    assert_rows(run, ROWS)
    shown = [(e.row, e.text) for e in run.events if e.kind == "checkpoint"]
    assert shown == [(i, f"iteration {i}") for i in range(5, ROWS + 1, 5)]
    assert next(e.row for e in run.events if e.kind == "resumed") == RESUMED - 1
    assert SETTINGS.items() <= run.metadata.items()
    assert set(run.types) == {*row(1), "attempt", "run_id", "env_id", "seed"}
    assert run.notes == ()


def assert_rows(run, rows):
    expected = [row(i) for i in range(1, rows + 1)]
    for name in expected[0]:
        # repr tells NaN from null, −0 from 0, a flag from a number
        assert [*map(repr, cells(run, name))] == [repr(cells_[name]) for cells_ in expected]


def test_every_version_has_its_golden_runs():
    assert [(int(path.parent.name), path.name) for path in RUNS] == [
        (version, kind) for version in range(1, FORMAT + 1) for kind in KINDS
    ]
    for version in FOLDER.glob("[0-9]*"):
        assert sum(path.stat().st_size for path in version.rglob("*") if path.is_file()) < 300_000


def test_every_value_of_a_golden_run_is_read(golden):
    run = open_run(golden)
    assert_is_golden(run)
    assert (run.state.last_iteration, run.state.last_row_time) == (ROWS, row(ROWS)["time"])
    if golden.name in STATES:
        assert (run.state.name, run.state.reason) == STATES[golden.name]
    else:
        assert run.state.name == "lost"


def test_the_first_attempt_of_a_golden_run_is_kept(golden):
    run = open_run(golden, attempt=1)
    assert len(run) == STOPPED
    assert_rows(run, STOPPED)


def test_a_golden_run_is_finalized_and_reads_the_same(golden):
    before = open_run(golden).state
    finalize(golden)
    assert_is_golden(open_run(golden))
    assert_is_golden(open_run(golden / "run.parquet"))
    assert open_run(golden).state == before


def test_a_golden_run_that_did_not_end_is_continued(golden):
    if (golden / "run.parquet").exists():
        return
    tail = Tail(golden)
    with RunLog(golden) as log:
        log.iteration(iteration=ROWS + 1, mine=1.5)
        tail.poll()
        assert len(tail.run) == ROWS + 1
        assert_is_golden(tail.run.head(ROWS))
    assert_is_golden(open_run(golden).head(ROWS))


def test_the_lock_of_a_writer_elsewhere_that_beats_is_a_sign_of_life(golden):
    if golden.name == "live":
        now = time.time()
        os.utime(golden / ".lock", (now, now))
        assert open_run(golden).state.name == "quiet"


def test_the_runs_of_a_version_are_never_made_again():
    before = times()
    script = str(FOLDER / "make.py")
    done = subprocess.run([sys.executable, script], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"never made again" in done.stderr
    assert times() == before


def times():
    """When each file of a golden run was last written."""
    return {path: path.stat().st_mtime_ns for path in FOLDER.glob("[0-9]*/**/*")}
