"""The tailer: every row exactly once and in order, whatever happens to the files meanwhile."""

import json
import subprocess
import time
import zlib

import numpy as np
import pytest
from runlog_rows import append, assert_rows, settle, writer

import runlog.journal
import runlog.tail
from runlog import RunLog, Tail, follow, open_run
from runlog.errors import UserError
from runlog.folder import part_path, parts, segment_path, segments
from runlog.publish import finalize


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(runlog.journal, "SEGMENT_ROWS", 16)
    monkeypatch.setattr(runlog.tail, "LIFE_SECONDS", 0.0)


def test_every_row_is_seen_once_through_seals_resumes_and_the_end(tmp_path):
    rng = np.random.default_rng(0)
    next_row, seen = 1, 0
    log = RunLog(tmp_path)
    tail = Tail(tmp_path)
    for step in range(60):
        count = int(rng.integers(0, 12))
        append(log, next_row, count)
        next_row += count
        if step % 3 == 0:
            time.sleep(0.002)  # the log's thread seals when it will
        if step % 20 == 19:
            log.close("stopped", "enough")
            log = RunLog(tmp_path)
        if step % 4 == 0:
            tail.poll()
            assert len(tail.run) == next_row - 1
            assert_rows(tail.run, at_least=seen)
            seen = len(tail.run)
    log.close()
    assert tail.poll() is not None
    assert_rows(tail.run, at_least=next_row - 1)
    assert tail.run.state.name == "finished"
    assert tail.poll() is None
    assert [e.kind for e in tail.run.events] == [e.kind for e in open_run(tmp_path).events]


def test_nothing_new_is_none_and_something_new_is_a_run(tmp_path):
    with RunLog(tmp_path) as log:
        append(log, 1, 3)
        tail = follow(tmp_path)
        before = tail.run
        assert tail.poll() is None
        append(log, 4, 1)
        after = tail.poll()
        assert (len(before), len(after)) == (3, 4)
        assert tail.run is after
        log.event("note", "x")
        assert [event.kind for event in tail.poll().events] == ["note"]
        log.stop("enough")
    assert tail.poll().state.name == "stopped"
    assert tail.poll() is None


def test_a_run_taken_before_the_seal_reads_on_after_publication(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 40)
    settle(log, 40)
    run = Tail(tmp_path).run
    assert len(parts(tmp_path)) == 2
    log.close()
    assert parts(tmp_path) == ()
    assert_rows(run, at_least=40)  # its parts are gone; run.parquet holds their rows


def test_old_chunks_are_shared_and_their_number_stays_small(tmp_path):
    log = RunLog(tmp_path)
    tail = Tail(tmp_path)
    for i in range(1, 16):
        append(log, i, 1)
        tail.poll()
    assert len(tail.run.chunks) <= 4
    append(log, 16, 20)
    settle(log, 35)
    tail.poll()
    first = tail.run.chunks[0]
    append(log, 36, 1)
    assert tail.poll().chunks[0] is first
    log.close("stopped", "enough")


def test_reading_stops_at_a_damaged_record_and_takes_it_once_it_is_whole(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 3)
    tail = Tail(tmp_path)
    append(log, 4, 2)
    path = segment_path(tmp_path, 0)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert len(tail.poll()) == 4
    assert tail.poll() is None
    path.write_bytes(whole)
    assert len(tail.poll()) == 5
    log.close("stopped", "enough")


def test_damage_in_the_middle_of_the_open_segment_is_said_as_soon_as_it_is_there(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 3)
    tail = Tail(tmp_path)
    whole = segment_path(tmp_path, 0).read_bytes()
    append(log, 4, 1)
    data = bytearray(segment_path(tmp_path, 0).read_bytes())
    data[len(whole) + 20] ^= 1
    segment_path(tmp_path, 0).write_bytes(data)
    assert "after row 3 are damaged" in tail.poll().notes[0]
    append(log, 5, 1)
    assert tail.poll() is None
    assert len(tail.run) == 3
    log.close("stopped", "enough")


def test_records_of_an_unknown_kind_are_skipped_and_said(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 1)
    text = json.dumps({"kind": "histogram", "row": 1}).encode()
    with segment_path(tmp_path, 0).open("ab") as file:
        file.write(b"%08x %b\n" % (zlib.crc32(text), text))
    assert "1 records of an unknown kind" in Tail(tmp_path).run.notes[0]
    assert len(Tail(tmp_path).run) == 1
    log.close("stopped", "enough")


def test_a_new_attempt_is_shown_as_soon_as_it_begins(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 5)
    tail, first = Tail(tmp_path), Tail(tmp_path, attempt=1)
    append(log, 3, 1)
    assert tail.poll().column("iteration").values.tolist() == [1, 2, 3]
    assert (tail.run.attempt, tail.run.attempts) == (2, 2)
    assert first.poll().column("iteration").values.tolist() == [1, 2, 3, 4, 5]
    log.close("stopped", "enough")


def test_one_sealed_segment_is_kept_for_slow_readers(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 100)
    settle(log, 100)
    assert segments(tmp_path) == (80, 96)
    assert parts(tmp_path)[-1] == (80, 95)
    log.close("stopped", "enough")
    assert segments(tmp_path) == (96,)


def test_a_damaged_part_is_said_and_the_rest_is_read(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 40)
    settle(log, 40)
    part_path(tmp_path, 0, 15).write_bytes(b"PAR1 damaged")
    run = open_run(tmp_path)
    assert run.column("iteration").values.tolist() == list(range(17, 41))
    assert "rows 0 to 15 are missing" in run.notes[0]
    log.close("stopped", "enough")


def test_finalize_publishes_a_killed_run_and_refuses_a_live_one(tmp_path):
    with RunLog(tmp_path / "live") as log:
        log.iteration()
        with pytest.raises(UserError, match="still being written"):
            finalize(tmp_path / "live")
    command = writer(tmp_path, rows=40, segment_rows=16, then="import os; os._exit(9)")
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    before = open_run(tmp_path)
    assert before.state.name == "killed"
    assert finalize(tmp_path) == tmp_path / "run.parquet"
    after = open_run(tmp_path)
    assert_rows(after, at_least=40)
    assert after.state == before.state
    assert after.events == before.events
    assert finalize(tmp_path / "run.parquet") == tmp_path / "run.parquet"


def test_finalize_of_no_run_says_so(tmp_path):
    with pytest.raises(UserError, match="no run here"):
        finalize(tmp_path)


def test_a_run_without_rows_is_read_live_and_finished(tmp_path):
    with RunLog(tmp_path) as log:
        run = Tail(tmp_path).run
        assert (len(run), run.state.name) == (0, "running")
        log.event("note", "x")
    run = open_run(tmp_path)
    assert (len(run), run.state.name, run.state.last_iteration) == (0, "finished", None)
    assert [event.kind for event in run.events] == ["note", "finished"]
