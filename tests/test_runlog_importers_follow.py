"""Growing logs: a file reopened at each poll, a pipe read by a thread."""

import os
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from runlog.errors import UserError
from runlog.importers import follow_log, read_log
from runlog.importers.follow import FollowedLog
from runlog.run import Run


def block(iteration: int, kl: str = "0.008123") -> str:
    return (
        f"Iteration {iteration} | Timesteps {iteration * 2048}\n  Policy loss: -0.0123\n"
        f"  KL divergence: {kl}\n  Entropy: 12.4567\n\n  [DEBUG]\n    Gradient norm: 0.045678\n"
    )


def append(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(text.encode())


def polled(log: FollowedLog, until: Callable[[Run], bool]) -> Run:
    """The first run of the log that has come so far, within ten seconds."""
    for _ in range(1000):
        log.poll()
        if until(log.run):
            return log.run
        time.sleep(0.01)
    raise AssertionError(log.run)


def test_a_growing_file_gives_a_new_run_only_when_something_came(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(block(1))
    log = follow_log(path)
    assert len(log.run) == 1
    assert log.run.state.name == "running"
    assert log.poll() is None
    append(path, block(2))
    run = log.poll()
    assert run is not None
    assert log.run is run
    assert run.column("iteration").values.tolist() == [1, 2]
    log.close()
    append(path, block(3))
    assert log.poll() is None


def test_an_empty_file_is_a_run_without_rows_until_a_block_comes(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"")
    log = follow_log(path)
    assert len(log.run) == 0
    append(path, "loading weights\n")
    log.poll()
    assert len(log.run) == 0
    append(path, block(1))
    assert len(polled(log, lambda run: len(run) > 0)) == 1


def test_every_byte_by_byte_state_of_a_file_says_only_what_the_whole_says(tmp_path):
    path = tmp_path / "train.log"
    data = (block(1) + block(2, kl="1.2e-05")).encode()
    whole = read_log(data, name="whole")
    path.write_bytes(b"")
    log = follow_log(path)
    for i in range(len(data)):
        append(path, data[i : i + 1].decode())
        log.poll()
        for name in log.run.types:
            column = log.run.column(name)
            for row in range(len(log.run)):
                if column.present[row]:
                    assert column.values[row] == whole.column(name).values[row]
    assert log.run.column("gradient_norm").present.tolist() == [True, True]


def test_known_values_of_a_half_written_block_are_shown(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(block(1) + block(2)[: block(2).index("  Entropy") + 12])
    run = follow_log(path).run
    assert run.column("kl").present.tolist() == [True, True]
    assert run.column("entropy").present.tolist() == [True, False]


def test_a_file_that_begins_anew_is_read_anew(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(block(1) + block(2) + block(3))
    log = follow_log(path)
    path.write_text(block(7))
    run = log.poll()
    assert run is not None
    assert run.column("iteration").values.tolist() == [7]
    path.write_text("# another head\n" + block(8) + block(9) + block(10))
    run = log.poll()
    assert run is not None
    assert run.column("iteration").values.tolist() == [8, 9, 10]


def test_a_file_that_vanishes_for_a_moment_is_waited_for(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(block(1))
    log = follow_log(path)
    path.unlink()
    assert log.poll() is None
    path.write_text(block(1) + block(2))
    assert len(polled(log, lambda run: len(run) == 2)) == 2


def test_a_silent_file_is_quiet_and_says_since_when(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(block(1))
    hour_ago = time.time() - 7200
    os.utime(path, (hour_ago, hour_ago))
    state = follow_log(path).run.state
    assert (state.name, state.reason) == ("quiet", "text log; last line 2 h ago")
    assert state.last_row_time == pytest.approx(hour_ago, abs=5)


def test_a_crash_in_the_file_ends_it_and_a_new_block_takes_that_back(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(block(1))
    log = follow_log(path)
    append(path, "Traceback (most recent call last):\n  File 'a.py'\nValueError: nan\n")
    log.poll()
    assert log.run.state.name == "crashed"
    assert log.run.state.reason is not None
    assert log.run.state.reason.startswith("ValueError: nan; last line")
    append(path, block(1) + block(2))
    log.poll()
    assert log.run.state.name == "running"
    assert log.run.attempts == 2


def test_utf16_grows_too(tmp_path):
    path = tmp_path / "train.log"
    data = (block(1) + block(2)).replace("\n", "\r\n").encode("utf-16")
    path.write_bytes(data[:151])
    log = follow_log(path)
    with path.open("ab") as file:
        file.write(data[151:])
    log.poll()
    assert log.run.column("kl").values.tolist() == [0.008123, 0.008123]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        follow_log(tmp_path / "nothing.log")


def test_a_pipe_is_read_without_waiting_and_its_end_is_the_end():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", buffering=0) as target:
        log = follow_log(source)
        assert len(log.run) == 0
        assert log.run.state.name == "running"
        assert log.poll() is None
        target.write((block(1) + block(2)[:40]).encode())
        assert polled(log, lambda run: len(run) == 2).state.name == "running"
        target.write(block(2)[40:].encode())
        target.close()
        run = polled(log, lambda run: run.state.name == "finished")
        assert run.column("kl").values.tolist() == [0.008123, 0.008123]
        assert log.poll() is None


def test_a_pipe_cut_inside_a_number_does_not_take_it():
    log = follow_log(
        BytesIO((block(1) + "Iteration 2 | Timesteps 4096\n  KL divergence: 0.00").encode())
    )
    run = polled(log, lambda run: run.state.name == "finished")
    assert run.column("kl").present.tolist() == [True, False]
    assert any("may be cut" in note for note in run.notes)


def test_a_pipe_that_ends_without_a_log_is_refused_once():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source:
        log = follow_log(source)
        os.write(writer, b"hello\n")
        os.close(writer)
        with pytest.raises(UserError, match="standard input: no known log format"):
            polled(log, lambda run: False)
        assert log.poll() is None


def test_a_crash_is_seen_at_the_end_of_a_pipe():
    text = block(1) + "Traceback (most recent call last):\nKeyboardInterrupt\n"
    log = follow_log(BytesIO(text.encode()))
    assert polled(log, lambda run: run.state.name == "stopped").state.reason is not None


def test_rows_already_shown_are_shared_with_the_next_run(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("".join(block(i) for i in range(1, 1200)))
    log = follow_log(path)
    before = log.run
    append(path, block(1200))
    after = log.poll()
    assert after is not None
    assert len(after) == 1200
    assert after.chunks[0] is before.chunks[0]
    assert after.chunks[0].column("kl") is before.chunks[0].column("kl")
