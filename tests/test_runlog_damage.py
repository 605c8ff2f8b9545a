"""Flipped bits, removed folders, a clock set back, a folder that cannot be written: all is said."""

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runlog_rows import append, assert_rows

import runlog.journal
import runlog.worker
from runlog import RunLog, open_run
from runlog.folder import part_path, segment_path
from runlog.publish import finalize

ROWS = 12
EVENT_AFTER = 5


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """run.json and segment of a run whose writer is gone without a word; the rows before each line."""
    folder = tmp_path_factory.mktemp("killed")
    log = RunLog(folder, run_id="r")
    append(log, 1, EVENT_AFTER)
    log.event("note", "in between")
    append(log, EVENT_AFTER + 1, ROWS - EVENT_AFTER)
    whole = segment_path(folder, 0).read_bytes()
    settings_ = (folder / "run.json").read_bytes()
    log.close("stopped", "enough")
    is_row = [b'"kind":"iteration"' in line for line in whole.splitlines()]
    assert sum(is_row) == ROWS
    rows_before = [sum(is_row[:line]) for line in range(len(is_row))]
    return settings_, whole, rows_before


def laid_out(folder, killed, data):
    (folder / "wal").mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_bytes(killed[0])
    segment_path(folder, 0).write_bytes(data)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bits_end_the_reading_before_them_and_are_said(tmp_path_factory, killed, data):
    _, whole, rows_before = killed
    flips = data.draw(
        st.lists(st.integers(0, 8 * len(whole) - 9), min_size=1, max_size=4, unique=True)
    )  # any bit but those of the last line end, without which the record is only half written
    damaged = bytearray(whole)
    for bit in flips:
        damaged[bit // 8] ^= 1 << bit % 8
    folder = tmp_path_factory.getbasetemp() / "flipped"
    laid_out(folder, killed, bytes(damaged))
    run = open_run(folder)
    line = whole[: min(flips) // 8].count(b"\n")
    assert len(run) == rows_before[line]
    assert_rows(run, at_least=0, kills=1)
    assert len([event for event in run.events if event.kind == "note"]) == (line > EVENT_AFTER + 1)
    assert any("damaged" in note for note in run.notes)


def flipped_in_row(killed, row):
    whole = bytearray(killed[1])
    whole[whole.index(b'"row":%d,' % row)] ^= 4
    return bytes(whole)


def test_a_resume_after_damage_says_what_it_leaves_out(tmp_path, killed):
    laid_out(tmp_path, killed, flipped_in_row(killed, 3))
    with RunLog(tmp_path) as log:
        assert log.last_iteration == 3
        append(log, 4, 20)
    run = open_run(tmp_path)
    assert_rows(run, at_least=23, kills=2)
    (resumed,) = [event for event in run.events if event.kind == "resumed"]
    assert "after row 3 are damaged" in resumed.text


def test_finalize_keeps_the_word_about_damage(tmp_path, killed):
    laid_out(tmp_path, killed, flipped_in_row(killed, 3))
    os.utime(tmp_path / "run.json", (1.0, 1.0))
    finalize(tmp_path)
    run = open_run(tmp_path)
    assert len(run) == 3
    assert ["after row 3 are damaged" in event.text for event in run.events] == [True]


FLIP = """
import random, sys
from pathlib import Path
from runlog import open_run
from runlog.errors import UserError

def content(run):
    run_columns = []
    for name, type_ in run.types.items():
        if type_ == "list<float64>":
            column = run.lists(name)
            run_columns.append((name, column.values.tolist(), column.offsets.tolist()))
        else:
            column = run.column(name)
            run_columns.append((name, column.present.tolist(), repr(column.values.tolist())))
    return run_columns

folder, path = Path(sys.argv[1]), Path(sys.argv[2])
whole = path.read_bytes()
right = content(open_run(folder))
generator = random.Random(0)
refused = said = harmless = 0
for _ in range(60):
    at = generator.randrange(len(whole))
    damaged = bytearray(whole)
    damaged[at] ^= 1 << generator.randrange(8)
    path.write_bytes(damaged)
    try:
        run = open_run(folder)
        found = content(run)
    except UserError as error:
        assert "\\n" not in str(error) and str(path) in str(error), error
        refused += 1
        continue
    if any("missing" in note or "unknown" in note for note in run.notes):
        said += 1
    else:
        assert found == right, at
        harmless += 1
print(refused, said, harmless)
"""


@pytest.mark.parametrize("place", ["part", "run.parquet"])
def test_a_flipped_bit_in_a_parquet_file_is_one_line_or_a_note_and_never_a_wrong_row(
    tmp_path, monkeypatch, place
):
    monkeypatch.setattr(runlog.journal, "SEGMENT_ROWS", 16)
    with RunLog(tmp_path, run_id="r") as log:
        for i in range(1, 41):
            log.iteration(iteration=i, kl=i / 7, episode_returns=[i / 3] * (i % 3), time=float(i))
        if place == "part":
            log.stop("enough")
    path = part_path(tmp_path, 0, 15) if place == "part" else tmp_path / "run.parquet"
    command = [sys.executable, "-c", FLIP, str(tmp_path), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refused, said, harmless = map(int, done.stdout.split())
    assert refused + said > 10  # the rest met null columns' pages, which say nothing
    assert refused + said + harmless == 60


def test_a_removed_folder_is_said_once_and_training_goes_on(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(runlog.worker, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(runlog.journal, "BEAT_SECONDS", 0.05)
    folder = tmp_path / "run"
    with RunLog(folder) as log:
        append(log, 1, 3)
        folder.rename(tmp_path / "moved")
        i = 3
        while not log.dropped:
            i += 1
            append(log, i, 1)
            log.event("note", str(i))
            time.sleep(0.01)
        append(log, i + 1, 5)
        time.sleep(0.1)  # its lock would be touched meanwhile
    assert not folder.exists()
    assert [record.message.count("nothing more is logged") for record in caplog.records] == [1]
    assert_rows(open_run(tmp_path / "moved"), at_least=3, kills=100)


def test_a_clock_that_is_set_back_changes_no_row_and_no_order(tmp_path, monkeypatch):
    clock = [time.time()]

    def backwards():
        clock[0] -= 1.0
        return clock[0]

    monkeypatch.setattr(time, "time", backwards)
    with RunLog(tmp_path) as log:
        append(log, 1, 20)
        live = open_run(tmp_path)
        log.stop("enough")
    monkeypatch.undo()
    run = open_run(tmp_path)
    assert live.state.name == "running"
    assert_rows(run, at_least=20, kills=2)
    assert (run.column("time").values[1:] < run.column("time").values[:-1]).all()
    assert run.state.name == "stopped"


READ_ONLY = """
import os, sys
import runlog.journal
from runlog import RunLog
from runlog.errors import UserError
RunLog("warm").close()  # imports what another user may not
runlog.journal.SEGMENT_ROWS = 4
if os.getuid() == 0:  # who may write anywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    RunLog("refused")
except UserError as error:
    print("one line:", str(error).count(chr(10)) == 0, "cannot be written here" in str(error))
log = RunLog("run", run_id="r")
for i in range(1, 11):
    log.iteration(iteration=i, kl=i / 7, timesteps=2048 * i, episode_returns=[i, i / 3][: i % 3])
    if i == 2:
        os.chmod("run/parts", 0o555)
        os.chmod("run/wal", 0o555)
print("dropped", log.dropped)
log.close()
os.chmod("run/parts", 0o755)
os.chmod("run/wal", 0o755)
"""


def test_a_read_only_folder_is_refused_at_once_and_loses_nothing_later(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "refused").mkdir(mode=0o555)
    (tmp_path / "run").mkdir()
    if os.getuid() == 0:
        os.chown(tmp_path / "run", 65534, 65534)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["one line: True True", "dropped 0"], done.stderr
    assert_rows(open_run(tmp_path / "run"), at_least=10, kills=1)
