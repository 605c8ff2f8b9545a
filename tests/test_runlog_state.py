"""Every state of a run with its reason: from its own records, else from what was printed beside it."""

import os
import signal
import subprocess
import time

import pytest
from runlog_rows import writer

import runlog.tail
from runlog import RunLog, Tail, finalize, open_run
from runlog.folder import LOCK

BATCH = "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-23T01:00:00 DUE TO {} ***\n"
OOM = "slurmstepd: error: Detected 1 oom-kill event(s) in step 7.batch cgroup.\n"
TRACEBACK = (
    'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nValueError: boom\n'
)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run whose writer was killed with -9, in a folder of its own."""
    path = tmp_path_factory.mktemp("killed") / "runs" / "run"
    command = writer(path, rows=3, then="import time; time.sleep(60)")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert [process.stdout.readline() for _ in range(3)][-1] == b"3\n"
        os.kill(process.pid, signal.SIGKILL)
    return path


@pytest.fixture
def dead(killed, tmp_path):
    """A copy of it, whose files bear the times of the original."""
    path = tmp_path / "runs" / "run"
    subprocess.run(["cp", "-a", str(killed.parent), str(path.parent)], check=True)
    return path


def said(path, text, *, after=1.0, run=None):
    """A file beside the run, written so many seconds after its last row."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    when = open_run(run or path.parent / "run").state.last_row_time + after
    os.utime(path, (when, when))


def state(path):
    found = open_run(path).state
    return found.name, found.reason


def test_a_killed_run_without_a_word_says_so(dead):
    name, reason = state(dead)
    assert name == "killed"
    assert "left no word" in reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OOM, ("killed", "Out of memory (slurm-7.out)")),
        (BATCH.format("TIME LIMIT"), ("killed", "The batch system's time limit (slurm-7.out)")),
        (
            BATCH.format("PREEMPTION"),
            ("preempted", "Preempted by the batch system (slurm-7.out)"),
        ),
        (
            BATCH.replace(" DUE TO {}", ""),
            ("killed", "The job was cancelled (slurm-7.out)"),
        ),
        ("KL: 0.01\n" + TRACEBACK, ("crashed", "ValueError: boom (slurm-7.out)")),
        (TRACEBACK + OOM, ("killed", "Out of memory (slurm-7.out)")),
        (OOM + "srun: error: n1: task 0: Killed\n", ("killed", "Out of memory (slurm-7.out)")),
        (
            "train.sh: line 3: 4711 Killed                  python train.py\n",
            ("killed", "Killed by a signal (slurm-7.out)"),
        ),
        (TRACEBACK + "wandb: kl ▁▂▃\n" * 60, ("crashed", "ValueError: boom (slurm-7.out)")),
        ("^C" + "\n", ("stopped", "Ctrl-C (slurm-7.out)")),
    ],
)
def test_the_batch_systems_output_says_why(dead, text, expected):
    said(dead.parent / "slurm-7.out", text)
    assert state(dead) == expected


@pytest.mark.parametrize("name", ["nohup.out", "train.err", "train.log", "run/train.log"])
def test_a_log_beside_the_run_or_in_it_says_why(dead, name):
    said(dead.parent / name, TRACEBACK, run=dead)
    assert state(dead) == ("crashed", f"ValueError: boom ({name.rpartition('/')[2]})")


@pytest.mark.parametrize(
    ("name", "text", "after"),
    [
        ("train.log", TRACEBACK, -10.0),  # from before the last row
        ("train.log", TRACEBACK + "iteration 5\n" * 50, 1.0),  # the program went on after it
        ("train.log", "KL: 0.01\n", 1.0),
        ("notes.txt", OOM, 1.0),
        ("train.log", TRACEBACK + "x" * 2**17, 1.0),
    ],
)
def test_what_cannot_be_its_last_words_is_not_taken(dead, name, text, after):
    said(dead.parent / name, text, after=after)
    assert "left no word" in state(dead)[1]


def test_of_several_batch_outputs_the_newest_counts(dead):
    said(dead.parent / "slurm-7.out", OOM, after=1)
    said(dead.parent / "slurm-8.out", BATCH.format("PREEMPTION"), after=5)
    assert state(dead)[0] == "preempted"
    said(dead.parent / "slurm-9.out", "still computing\n", after=9)
    assert "left no word" in state(dead)[1]


def test_a_file_beside_several_runs_is_only_taken_where_its_time_fits(dead):
    other = dead.with_name("other")
    with RunLog(other) as log:
        log.iteration()
    said(dead.parent / "slurm-7.out", OOM, after=3600)
    assert "left no word" in state(dead)[1]
    said(dead.parent / "slurm-7.out", OOM, after=20)
    assert state(dead)[0:2] == ("killed", "Out of memory (slurm-7.out)")
    said(dead.parent / "other.log", TRACEBACK, after=25)
    assert state(dead)[1] == "Out of memory (slurm-7.out)"
    (dead.parent / "slurm-7.out").unlink()
    assert "left no word" in state(dead)[1]  # other.log is the other run's
    said(dead.parent / "run.log", TRACEBACK, after=3600)
    assert state(dead) == ("crashed", "ValueError: boom (run.log)")


def test_the_file_that_bears_the_jobs_number_is_the_runs_own(tmp_path):
    for job in (7, 8):
        with RunLog(tmp_path / f"run{job}", job_id=job) as log:
            log.iteration()
            log.stop("SIGTERM")
    (tmp_path / "slurm-7.out").write_text(OOM)
    (tmp_path / "slurm-8.out").write_text(BATCH.format("PREEMPTION"))
    assert state(tmp_path / "run7") == ("stopped", "SIGTERM: Out of memory (slurm-7.out)")
    assert state(tmp_path / "run8")[0] == "preempted"


def test_a_copy_of_an_unfinished_run_is_lost_unless_a_file_says_more(dead):
    (dead / LOCK).unlink()
    assert state(dead)[0] == "lost"
    said(dead / "slurm-7.out", BATCH.format("TIME LIMIT"), run=dead)
    assert state(dead)[0] == "killed"


def test_a_run_that_lives_has_no_last_words(tmp_path):
    with RunLog(tmp_path / "run") as log:
        log.iteration()
        (tmp_path / "slurm-7.out").write_text(OOM)
        assert state(tmp_path / "run") == ("running", None)


def test_the_words_are_found_when_they_come_after_the_end(dead, monkeypatch):
    tail = Tail(dead)
    said(dead.parent / "slurm-7.out", OOM)
    assert tail.poll() is None  # looked a moment ago
    monkeypatch.setattr(runlog.tail, "WORDS_SECONDS", 0.0)
    monkeypatch.setattr(runlog.tail, "WHOLE_SECONDS", 0.0)
    assert tail.poll().state.reason == "Out of memory (slurm-7.out)"
    assert tail.poll() is None


def test_an_event_of_preemption_says_why_a_run_ended(tmp_path):
    with RunLog(tmp_path / "stopped") as log:
        log.iteration()
        log.event("preempted", "SIGUSR1 from the batch system")
        log.stop("SIGUSR1")
    assert state(tmp_path / "stopped") == ("preempted", "SIGUSR1 from the batch system")
    then = 'log.event("preempted", "by SIGUSR1"); os._exit(9)'
    subprocess.run(writer(tmp_path / "killed", rows=1, then=then), capture_output=True, check=False)
    assert state(tmp_path / "killed") == ("preempted", "by SIGUSR1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("stopped", "SIGTERM after iteration 1")),
        (TRACEBACK, ("stopped", "SIGTERM after iteration 1")),
        (
            BATCH.format("TIME LIMIT"),
            ("stopped", "SIGTERM after iteration 1: The batch system's time limit (slurm-7.out)"),
        ),
        (
            BATCH.format("PREEMPTION"),
            (
                "preempted",
                "SIGTERM after iteration 1: Preempted by the batch system (slurm-7.out)",
            ),
        ),
    ],
)
def test_who_sent_the_signal_that_stopped_a_run_is_added(tmp_path, text, expected):
    with RunLog(tmp_path / "run") as log:
        log.iteration()
        log.stop("SIGTERM after iteration 1")
    (tmp_path / "slurm-7.out").write_text(text)
    assert state(tmp_path / "run") == expected


def test_the_runs_own_words_stand_above_what_was_printed(tmp_path):
    log = RunLog(tmp_path / "run")
    log.iteration()
    log.close("crashed", "ValueError: mine")
    (tmp_path / "slurm-7.out").write_text(OOM)
    assert state(tmp_path / "run") == ("crashed", "ValueError: mine")


def test_finalize_keeps_the_state_as_it_was_found(dead):
    said(dead.parent / "slurm-7.out", BATCH.format("PREEMPTION"))
    before = open_run(dead).state
    finalize(dead)
    (dead.parent / "slurm-7.out").unlink()
    assert open_run(dead).state == before
    assert open_run(dead / "run.parquet").state == before


def test_a_row_after_the_end_makes_a_run_live_again(tmp_path):
    with RunLog(tmp_path) as log:
        log.iteration()
        log.stop("enough")
    assert state(tmp_path) == ("stopped", "enough")
    log = RunLog(tmp_path)
    log.iteration(iteration=2, time=time.time())
    assert state(tmp_path)[0] == "running"
    log.close()
