"""One writer at a time, and how readers tell whether it lives."""

import errno
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from runlog_rows import writer

import runlog.lock
from runlog import RunLog, open_run
from runlog.errors import UserError
from runlog.lock import Heart, Lock
from runlog.state import ended_state, live_state


def test_a_second_writer_is_refused_and_told_who_the_first_is(tmp_path):
    log = RunLog(tmp_path)
    with pytest.raises(UserError, match=f"process {os.getpid()} on .* is writing"):
        RunLog(tmp_path)
    log.iteration(kl=1.0)
    log.close("stopped", "enough")
    RunLog(tmp_path).close()


def test_a_second_writer_in_another_process_is_refused(tmp_path):
    log = RunLog(tmp_path)
    done = subprocess.run(writer(tmp_path, rows=1), capture_output=True, check=False)
    assert done.returncode == 1
    assert b"is writing this run" in done.stderr
    assert len(open_run(tmp_path)) == 0
    log.close()


def test_a_held_lock_is_alive_and_a_free_one_gone(tmp_path):
    lock = Lock(tmp_path)
    heart = Heart(tmp_path)
    assert heart.look() == "alive"
    lock.release()
    assert heart.look() == "gone"
    assert heart.look() == "gone"


def test_a_writer_elsewhere_is_judged_by_the_beats_of_its_lock(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "boot_id": "x", "flock": True}))
    clock = [1000.0]
    monkeypatch.setattr(runlog.lock.time, "monotonic", lambda: clock[0])
    heart = Heart(tmp_path)
    assert heart.look() == "alive"
    clock[0] += 119
    assert heart.look() == "alive"
    clock[0] += 2
    assert heart.look() == "silent"
    os.utime(path, (1.0, 1.0))  # a beat, by whatever clock that machine has
    assert heart.look() == "alive"
    clock[0] += 121
    assert heart.look() == "silent"


def test_one_look_at_an_old_lock_from_elsewhere_is_enough(tmp_path):
    path = tmp_path / ".lock"
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "boot_id": "x", "flock": True}))
    os.utime(path, (time.time() - 500, time.time() - 500))
    assert Heart(tmp_path).look() == "silent"


def refuse(code):
    def flock(descriptor, operation):
        raise OSError(code, os.strerror(code))

    return flock


@pytest.fixture(params=["no fcntl", errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def without_flock(request, monkeypatch):
    if request.param == "no fcntl":
        monkeypatch.setattr(runlog.lock, "fcntl", None)
    else:
        monkeypatch.setattr(runlog.lock.fcntl, "flock", refuse(request.param))


def test_a_writer_without_flock_refuses_a_second_process_and_frees_a_killed_ones_run(tmp_path):
    without = (
        "import fcntl, errno\ndef no(*_): raise OSError(errno.ENOSYS, 'no')\nfcntl.flock = no\n"
    )
    hold = "import time; print('held', flush=True); time.sleep(60)"
    command = writer(tmp_path, rows=3, then=hold)
    command[-1] = without + command[-1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        while first.stdout.readline() != b"held\n":
            pass
        second = subprocess.run(command, capture_output=True, check=False)
        assert second.returncode == 1
        assert b"is writing this run" in second.stderr
        assert second.stdout == b""
        first.kill()
    assert len(open_run(tmp_path)) == 3
    with RunLog(tmp_path) as log:
        assert log.last_iteration == 3


def test_without_file_locks_a_second_writer_is_refused_all_the_same(tmp_path, without_flock):
    lock = Lock(tmp_path)
    assert "no file locks here" in lock.warning
    assert Heart(tmp_path).look() == "alive"
    with pytest.raises(UserError, match="is writing this run"):
        Lock(tmp_path)
    lock.release()
    again = Lock(tmp_path)
    again.release()
    assert not (tmp_path / ".lock").exists()


def test_without_file_locks_the_file_of_a_process_that_is_gone_is_taken_over(
    tmp_path, without_flock
):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    identity = {"pid": process.pid, "host": runlog.lock.platform.node(), "flock": False}
    (tmp_path / ".lock").write_text(json.dumps(identity))
    assert Heart(tmp_path).look() == "gone"
    lock = Lock(tmp_path)
    assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    lock.release()


def test_fcntl_fdatasync_and_the_boot_id_may_all_be_missing(tmp_path):
    code = f"""
import os, sys
sys.modules["fcntl"] = None
del os.fdatasync
import runlog.lock
from pathlib import Path
runlog.lock.BOOT_ID_FILE = Path("/nonexistent")
from runlog import RunLog, open_run
with RunLog({str(tmp_path)!r}) as log:
    log.iteration(kl=1.0)
    live = open_run({str(tmp_path)!r})
    log.stop("enough")
with RunLog({str(tmp_path)!r}) as log:
    log.iteration(iteration=2, kl=2.0)
run = open_run({str(tmp_path)!r})
print(live.state.name, run.state.name, run.column("kl").values.tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.stdout.decode() == "running finished [1.0, 2.0]\n", done.stderr.decode()
    assert done.stderr.count(b"no file locks here") == 2  # once for each log opened


@pytest.mark.parametrize(
    ("times", "age", "name"),
    [
        ([], 1, "running"),
        ([], 61, "quiet"),
        ([0.0, 1.0, 2.0], 4.9, "running"),
        ([0.0, 1.0, 2.0], 5.1, "slow"),
        ([0.0, 1.0, 2.0], 61, "quiet"),
        ([0.0, 100.0, 200.0], 299, "running"),
        ([0.0, 100.0, 200.0], 301, "slow"),
        ([0.0, 100.0, 200.0], 1001, "quiet"),
    ],
)
def test_slow_and_quiet_are_measured_in_the_runs_own_iterations(times, age, name):
    last = times[-1] if times else 0.0
    found, _ = live_state(life="alive", times=np.array(times), started=0.0, now=last + age)
    assert found == name


@pytest.mark.parametrize(("life", "name"), [("gone", "killed"), ("silent", "lost")])
def test_a_writer_without_a_last_word_was_killed_or_is_lost(life, name):
    found, reason = live_state(life=life, times=np.array([1.0]), started=None, now=2.0)
    assert found == name
    assert reason


def test_the_first_line_of_the_end_records_reason_is_the_states():
    end = {"kind": "end", "row": 3, "time": 1.0, "state": "crashed", "reason": "E: x\n  frame"}
    assert ended_state(end) == ("crashed", "E: x")
