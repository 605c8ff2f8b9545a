"""docs/reading.md: every block, run as it is printed, reads every column and value of real runs."""

import json
import math
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from runlog.schema import BY_NAME

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reading.md"
ROWS = 40
EXTRAS = {"mine": "number", "tag": "text", "clipped": "flag", "norms": "list"}
"""Columns that nobody declared, from the second part on."""


def row(i):
    """The content of iteration i, null where the cell is None."""
    late = i > 16
    return {
        "iteration": i,
        "kl": [i / 7, math.nan, None, math.inf, -math.inf][i % 5],
        "episode_returns": [None, [], [i / 3, math.nan, None]][i % 3],
        "line_search_success": [True, False, None][i % 3],
        "update_outcome": "accepted" if i % 2 else None,
        "mine": i / 3 if late and i % 4 else None,
        "tag": f"é{i}" if late else None,
        "clipped": bool(i % 2) if late else None,
        "norms": [i / 9, math.inf] if late else None,
    }


WRITER = """
import runlog.journal
from runlog import RunLog
from test_runlog_reading import ROWS, row
runlog.journal.SEGMENT_ROWS = 16
log = RunLog("runs/hopper", env_id="Hopper-v5", config={"max_kl": 0.01}, run_id="r")
for i in [*range(1, FIRST), *range(1, ROWS + 1)]:
    log.iteration(**row(i))
"""
THEN = {
    "finished": "log.close()",
    "crashed": "log.close('crashed', 'ValueError: boom')",
    "live": "import time; time.sleep(60)",
}
STATES = {
    "Any run": ("live", "killed", "crashed", "finished"),
    "A finished run": ("finished",),
    "A stopped or crashed run": ("crashed",),
    "Attempts": ("restarted",),
    "Settings and events": ("finished",),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder for each state, with the run at runs/hopper in it; the live one is being written."""
    places, processes = {}, []
    for state in ("live", "killed", "crashed", "finished", "restarted"):
        places[state] = tmp_path_factory.mktemp(state)
        first = "1" if state != "restarted" else "30"
        then = THEN.get({"killed": "live", "restarted": "finished"}.get(state, state))
        code = WRITER.replace("FIRST", first) + "print('written', flush=True)\n" + then
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            cwd=places[state],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        )
        processes.append((state, process))
    for state, process in processes:
        assert process.stdout.readline() == b"written\n"
        if state == "killed":
            process.send_signal(signal.SIGKILL)
        if state != "live":
            process.wait()
    yield places
    for _, process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def blocks():
    """Heading, number below it and code of every Python block."""
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        for number, code in enumerate(re.findall(r"```python\n(.*?)```", section, re.DOTALL)):
            for state in STATES[heading]:
                yield pytest.param(code, state, id=f"{heading} {number} {state}")


def cells(frame, name):
    """One column as Python's values, null as None, whichever library made the frame."""
    if isinstance(frame, pl.DataFrame):
        return frame[name].to_list()
    if isinstance(frame, pd.DataFrame):
        return pa.array(frame[name]).to_pylist()
    table = frame if isinstance(frame, pa.Table) else frame.read_all()
    return table.column(name).to_pylist()


def columns(frame):
    return list(
        frame.columns if isinstance(frame, pl.DataFrame | pd.DataFrame) else frame.schema.names
    )


@pytest.mark.parametrize(("code", "state"), list(blocks()))
def test_a_block_of_the_page_reads_every_column_and_value(code, state, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(runs[state])
    (tmp_path / "block.py").write_text(code, encoding="utf-8")
    names = runpy.run_path(str(tmp_path / "block.py"))
    if "frame" not in names:
        assert names["settings"]["config"] == {"max_kl": 0.01}
        assert names["events"][-1]["state"] == "finished"
        return
    frame = names["frame"]
    if isinstance(frame, pa.RecordBatchReader):
        frame = frame.read_all()
    assert set(columns(frame)) == BY_NAME.keys() | EXTRAS.keys()
    expected = [row(i) for i in range(1, ROWS + 1)]
    for name in expected[0]:
        # repr tells NaN from null and −0 from 0, and a flag from a number
        assert [repr(cell) for cell in cells(frame, name)] == [repr(r[name]) for r in expected]
    assert set(cells(frame, "run_id")) == {"r"}
    assert set(cells(frame, "gradient_norm")) == {None}


def test_the_page_tells_what_the_plain_readers_lose(runs, monkeypatch):
    monkeypatch.chdir(runs["crashed"])
    import duckdb
    import pyarrow.dataset

    lost = BY_NAME.keys()
    assert set(pd.read_parquet("runs/hopper/parts").columns) == lost
    assert set(pyarrow.dataset.dataset("runs/hopper/parts").schema.names) == lost
    assert set(duckdb.sql("from 'runs/hopper/parts/*.parquet'").columns) == lost
    with pytest.raises(pl.exceptions.SchemaError, match="extra column"):
        pl.read_parquet("runs/hopper/parts/*.parquet")
    plain = pd.read_parquet("runs/hopper/parts/000000000000-000000000015.parquet")
    assert plain["kl"].isna().sum() == sum(
        r["kl"] is None or math.isnan(r["kl"]) for r in map(row, range(1, 17))
    )


def test_the_command_of_the_page_makes_the_file_the_other_blocks_read(runs, cli, tmp_path):
    [line] = re.findall(r"```sh\ntrpo-tui (.*?)\n```", PAGE.read_text(encoding="utf-8"))
    subprocess.run(["cp", "-a", str(runs["killed"] / "runs"), str(tmp_path)], check=True)
    assert cli(*shlex.split(line)).returncode == 0
    frame = pl.read_parquet(tmp_path / "runs" / "hopper" / "run.parquet")
    assert cells(frame, "iteration") == list(range(1, ROWS + 1))


def test_the_open_segment_is_only_seen_through_open_run(runs):
    wal = runs["live"] / "runs" / "hopper" / "wal"
    assert b'"iteration":40' in max(wal.iterdir()).read_bytes()
    parts = sorted((wal.parent / "parts").iterdir())
    assert sum(len(pl.read_parquet(part)) for part in parts) == 32
    assert json.loads((wal.parent / "run.json").read_bytes())["run_id"] == "r"
