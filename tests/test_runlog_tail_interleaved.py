"""The tailer when the files change in the middle of a poll, or under its feet."""

import shutil
import subprocess
import threading
import time

import numpy as np
import pytest
from runlog_rows import append, assert_rows, settle, writer

import runlog.chunk
import runlog.contents
import runlog.journal
import runlog.tail
from runlog import RunLog, Tail, open_run
from runlog.errors import UserError
from runlog.folder import segment_path
from runlog.wal import OpenSegment, SegmentReader

STEPS = 8
"""As many as a poll takes: looks at names, opened and read files."""


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(runlog.journal, "SEGMENT_ROWS", 16)
    monkeypatch.setattr(runlog.tail, "LIFE_SECONDS", 0.0)


class Between:
    """Does something once, before the given one of the steps in which a reader touches files."""

    def __init__(self, monkeypatch):
        self.left, self.action = -1, None
        self.reader = threading.get_ident()  # the log's own thread reads files too
        for where, name in (
            (runlog.tail, "_stamp"),
            (runlog.contents, "segments"),
            (runlog.contents, "parts"),
            (runlog.chunk, "open_parquet"),
            (SegmentReader, "advance"),
        ):
            monkeypatch.setattr(where, name, self.watched(getattr(where, name)))

    def watched(self, step):
        def taken(*arguments, **options):
            if threading.get_ident() == self.reader and self.action is not None:
                self.left -= 1
                if self.left == -1:
                    action, self.action = self.action, None
                    action()
            return step(*arguments, **options)

        return taken

    def before(self, step, action):
        self.left, self.action = step, action


@pytest.fixture
def between(monkeypatch):
    return Between(monkeypatch)


def seal_many(log):
    append(log, 21, 80)
    settle(log, 100)
    return log, 100


def stop(log):
    append(log, 21, 20)
    log.close("stopped", "enough")
    return log, 40


def publish(log):
    append(log, 21, 30)
    log.close()
    return log, 50


def resume(log):
    log.close("stopped", "enough")
    again = RunLog(log.path)
    append(again, 21, 30)
    return again, 50


ACTIONS = (seal_many, stop, publish, resume)


@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_whatever_happens_in_the_middle_of_a_poll_no_row_is_lost_or_seen_twice(
    tmp_path, between, action, step
):
    log = RunLog(tmp_path)
    append(log, 1, 10)
    tail = Tail(tmp_path)
    append(log, 11, 10)
    done: list[tuple[RunLog, int]] = []
    between.before(step, lambda: done.append(action(log)))
    tail.poll()
    assert_rows(tail.run, at_least=20)
    while not done:  # the step lies in a later poll
        tail.poll()
        assert_rows(tail.run, at_least=20)
    log, rows = done[0]
    while tail.poll() is not None:
        assert_rows(tail.run, at_least=20)
    assert len(tail.run) == rows
    assert_rows(tail.run, at_least=rows)
    assert [e.kind for e in tail.run.events] == [e.kind for e in open_run(tmp_path).events]
    log.close()


@pytest.mark.parametrize("step", range(0, 12, 2))
def test_parts_may_be_published_between_any_two_reads_of_columns(tmp_path, between, step):
    log = RunLog(tmp_path)
    append(log, 1, 50)
    settle(log, 50)
    between.before(step, log.close)
    assert_rows(open_run(tmp_path), at_least=50)
    log.close()


def test_a_writer_in_another_process_is_followed_to_its_published_end(tmp_path):
    command = writer(tmp_path, rows=400, segment_rows=32, then="log.close()")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        tail, seen = Tail(tmp_path), 0
        while tail.run.state.name != "finished":
            assert_rows(tail.run, at_least=seen, kills=1)  # a row may be seen before its event
            seen = len(tail.run)
            time.sleep(0.002)
            tail.poll()
        process.stdout.read()
    assert len(tail.run) == 400
    assert_rows(tail.run, at_least=400)
    assert seen > 0


def test_a_folder_that_is_moved_away_is_shown_as_it_was_until_it_is_back(tmp_path, monkeypatch):
    monkeypatch.setattr(OpenSegment, "is_there", lambda self: True)  # the writer does not notice
    log = RunLog(tmp_path / "run")
    append(log, 1, 40)
    settle(log, 40)
    tail = Tail(tmp_path / "run")
    run = tail.run
    assert_rows(run, at_least=40)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert tail.poll().state.name == "lost"
    assert "not there any more" in tail.run.state.reason
    assert tail.poll() is None
    assert_rows(tail.run, at_least=40)
    append(log, 41, 5)
    (tmp_path / "elsewhere").rename(tmp_path / "run")
    assert tail.poll().state.name == "running"
    assert_rows(tail.run, at_least=45)
    log.close("stopped", "enough")


@pytest.mark.parametrize("ended", [False, True])
def test_a_folder_may_be_removed_in_the_middle_of_any_poll(tmp_path, between, ended):
    for step in range(STEPS):
        log = RunLog(tmp_path / "run")
        append(log, 1, 40)
        settle(log, 40)
        tail = Tail(tmp_path / "run")
        assert_rows(tail.run, at_least=40)
        if ended:
            log.close()
        between.before(step, lambda: shutil.rmtree(tmp_path / "run"))
        while (tmp_path / "run").exists():
            tail.poll()
        tail.poll()
        assert len(tail.run) == 40
        assert tail.run.state.name in ("lost", "finished")
        log._journal._release()


def test_a_finished_run_that_is_moved_away_stays_finished(tmp_path):
    with RunLog(tmp_path / "run") as log:
        append(log, 1, 5)
    tail = Tail(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert tail.poll() is None
    (tmp_path / "elsewhere").rename(tmp_path / "run")
    assert tail.poll() is None
    assert tail.run.state.name == "finished"


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("noticed", [False, True])
@pytest.mark.parametrize("rows", [3, 60])
def test_another_run_begun_under_the_same_name_is_followed_from_its_first_row(
    tmp_path, ended, noticed, rows
):
    log = RunLog(tmp_path / "run", run_id="old")
    append(log, 1, 40)
    settle(log, 40)
    if ended:
        log.close()
    tail = Tail(tmp_path / "run")
    assert len(tail.run) == 40
    shutil.rmtree(tmp_path / "run")
    if noticed:
        tail.poll()
    new = RunLog(tmp_path / "run", run_id="new")
    append(new, 1, rows)
    run = tail.poll()
    assert run.metadata["run_id"] == "new"
    assert len(run) == rows
    assert_rows(run, at_least=rows)
    assert run.state.name == "running"
    append(new, rows + 1, 2)
    assert len(tail.poll()) == rows + 2
    new.close()
    tail.poll()
    assert (len(tail.run), tail.run.state.name) == (rows + 2, "finished")
    if not ended:
        log._journal._release()


def test_rows_that_a_power_cut_took_back_are_not_mixed_with_those_written_after(tmp_path):
    log = RunLog(tmp_path)
    append(log, 1, 10)
    tail = Tail(tmp_path)
    log.close("stopped", "power")
    path = segment_path(tmp_path, 0)
    shutil.rmtree(tmp_path / "parts")
    path.write_bytes(path.read_bytes()[:300])
    tail.poll()
    kept = len(tail.run)
    assert kept < 10
    with RunLog(tmp_path) as log:
        append(log, kept + 1, 3)
        tail.poll()
        assert_rows(tail.run, at_least=kept + 3)
        assert len(tail.run) == kept + 3


def test_an_attempt_that_a_new_run_does_not_have_is_one_clear_line(tmp_path):
    log = RunLog(tmp_path / "run")
    append(log, 1, 3)
    append(log, 1, 3)
    log.close("stopped", "enough")
    tail = Tail(tmp_path / "run", attempt=2)
    shutil.rmtree(tmp_path / "run")
    new = RunLog(tmp_path / "run")
    append(new, 1, 3)
    with pytest.raises(UserError, match="--attempt 2: this log has 1 attempt"):
        tail.poll()
    new.close("stopped", "enough")


def test_a_column_of_a_run_that_is_gone_is_one_clear_line(tmp_path):
    log = RunLog(tmp_path / "run")
    append(log, 1, 40)
    settle(log, 40)
    run = open_run(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(UserError, match="not there any more"):
        run.column("kl")
    assert np.isfinite(run.column("iteration").values).all()
    log.close("stopped", "enough")
