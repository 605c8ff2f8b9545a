"""The progress line: one line that fits, lines elsewhere, and a training that outlives it."""

import contextlib
import fcntl
import io
import math
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import progress as module
from agent.progress import Progress
from agent.sentence import amount, duration, sentence
from runlog import open_run

ROW = {
    "iteration": 1,
    "timesteps": 2048,
    "episode_return_mean": None,
    "reward_mean": 0.5,
    "kl": 0.0071234,
    "update_outcome": "accepted",
    "steps_per_second": 5000.0,
}
SMALL = ["--steps-per-iteration=64", "--environments=2", "--warm-up-steps=0", "--vf-iters=1"]


class Terminal:
    """A pseudo-terminal, read by a thread into a picture of its screen."""

    def __init__(self, columns: int) -> None:
        self.master, slave = pty.openpty()
        self.screen = pyte.Screen(columns, 24)
        self.bytes = pyte.ByteStream(self.screen)
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.resize(columns)

    def resize(self, columns: int) -> None:
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, size)
        self.screen.resize(24, columns)

    def lines(self) -> list[str]:
        """What stands on the screen."""
        self.stream.flush()
        os.set_blocking(self.master, False)
        with contextlib.suppress(BlockingIOError):
            while content := os.read(self.master, 65536):
                self.bytes.feed(content)
        return [line.rstrip() for line in self.screen.display if line.strip()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "LIVE_SECONDS", 0.0)
    made = Terminal(80)
    yield made
    os.close(made.master)
    made.stream.close()


def _row(iteration: int, **values: Any) -> dict[str, Any]:
    return ROW | {"iteration": iteration, "timesteps": 2048 * iteration} | values


def test_elsewhere_lines_stay_but_not_one_for_every_iteration() -> None:
    stream = io.StringIO()
    progress = Progress(stream, 100)
    for iteration in range(1, 101):
        progress.show(_row(iteration))
    lines = stream.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["1/100", "100/100"]
    assert stream.getvalue().replace("\n", "").isprintable()


def test_terminal_without_abilities_gets_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal.resize(120)
    progress = Progress(terminal.stream, 3)
    for iteration in (1, 2, 3):
        progress.show(_row(iteration))
    assert [line[:13] for line in terminal.lines()] == ["iteration 1/3", "iteration 3/3"]


def test_line_is_rewritten_in_place_without_colour(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, 300)
    for iteration in range(1, 200):
        outcome = "accepted" if iteration % 2 else "rejected"
        progress.show(_row(iteration, episode_return_mean=-12345.678, update_outcome=outcome))
        (line,) = terminal.lines()
        assert line.removeprefix("iteration ").startswith(f"{iteration}/300  ")
        assert ("rejected" in line) == (outcome == "rejected")
        assert len(line) < 80
    assert terminal.screen.cursor.x == 0
    assert {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()} == {
        "default"
    }


def test_line_follows_the_width_of_the_terminal(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, 300)
    for columns in (80, 60, 40, 20, 10, 100):
        terminal.screen.reset()
        terminal.resize(columns)
        progress.show(_row(7, episode_return_mean=1234.5))
        (line,) = terminal.lines()
        assert "7/300" in line
        assert len(line) < columns


@given(
    row=st.fixed_dictionaries(
        {
            "iteration": st.integers(1, 10**7),
            "timesteps": st.integers(1, 10**12),
            "reward_mean": st.floats(),
            "kl": st.floats(),
            "update_outcome": st.sampled_from(["accepted", "rejected", "skipped-non-finite"]),
            "steps_per_second": st.floats(0, 1e9),
        }
    ),
    reached=st.none() | st.floats(),
    left=st.none() | st.floats(0, 1e9),
    columns=st.integers(1, 200),
)
def test_line_fits_whatever_it_says(
    row: dict[str, Any], reached: float | None, left: float | None, columns: int
) -> None:
    line = sentence(row, reached, row["iteration"] + 5, left, None, columns)
    assert 0 < len(line) <= columns
    assert line.isprintable()
    whole = sentence(row, reached, row["iteration"] + 5, left, None, None)
    assert (row["update_outcome"] in whole) == (row["update_outcome"] != "accepted")
    assert f"kl {row['kl']:.3g}" in whole


def test_narrow_lines_keep_iteration_return_and_outcome() -> None:
    row = _row(12, update_outcome="rejected")
    told = {n: sentence(row, 1234.56, 100, 75.0, 9876.0, n) for n in (100, 79, 34)}
    assert told == {
        100: "iteration 12/100  24.6k steps  9,876 steps/s  return 1234.6  kl 0.00712  rejected"
        "  75 s left",
        79: "12/100  9,876 steps/s  return 1234.6  kl 0.00712  rejected  75 s left",
        34: "12/100  return 1234.6  rejected",
    }


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0"), (999, "999"), (2048, "2.05k"), (999_999, "1000k"), (2_048_000, "2.05M")],
)
def test_amounts_are_short(count: int, told: str) -> None:
    assert amount(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h"), (172_800, "2.0 days")],
)
def test_durations_have_their_unit(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_time_left_ignores_how_slow_the_first_iteration_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 500.0, 502.0, 504.0, 506.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(module, "PLAIN_SECONDS", 0.0)
    stream = io.StringIO()
    progress = Progress(stream, 14)
    for iteration in (1, 2, 3, 4):
        progress.show(_row(iteration))
    lines = stream.getvalue().splitlines()
    assert [line.endswith("  time left not known yet") for line in lines] == [True] * 2 + [
        False
    ] * 2
    assert [line.split("  ")[-1] for line in lines[2:]] == ["22 s left", "20 s left"]
    assert "  1,024 steps/s  " in lines[-1]


def test_return_stays_until_another_episode_ends() -> None:
    stream = io.StringIO()
    progress = Progress(stream, 1)
    progress.show(_row(1, episode_return_mean=7.0))
    progress.show(_row(2))
    assert "return 7.0" in stream.getvalue().splitlines()[1]


def test_what_others_print_takes_the_place_of_the_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    monkeypatch.setattr(sys, "stdout", terminal.stream)
    with Progress(terminal.stream, 9) as progress:
        progress.show(_row(1))
        print("hello")
        progress.show(_row(2))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            monkeypatch.setattr(warnings, "showwarning", lambda *a, **k: sys.stderr.write("hm\n"))
            warnings.warn("hm", RuntimeWarning, stacklevel=1)
        progress.show(_row(3))
        progress.say("by the way")
        progress.show(_row(4))
        progress.show(_row(5))
    assert sys.stderr is terminal.stream
    terminal.stream.write("after")
    lines = terminal.lines()
    assert lines[:3] == ["hello", "hm", "by the way"]
    assert "5/9  " in lines[3]
    assert lines[4:] == ["after"]


def test_terminal_that_takes_nothing_holds_nobody_up(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, 10_000)
    for iteration in range(1, 5000):  # 200 kB, and nobody reads
        terminal.resize(20 + iteration % 60)
        progress.show(_row(iteration))
    assert "4999/10000" not in terminal.lines()[0]


def test_end_says_what_came_out_and_what_to_do_next() -> None:
    stream = io.StringIO()
    progress = Progress(stream, 3)
    for iteration, value in ((1, 3.0), (2, 25.0), (3, 20.0)):
        progress.show(_row(iteration, episode_return_mean=value))
    progress.end(Path("runs/my run"))
    assert stream.getvalue().splitlines()[-3:] == [
        "trained 3 iterations in 0 s, 6.14k steps in all",
        "return 20.0, best 25.0 in iteration 2",
        "next: trpo-tui watch 'runs/my run', or trpo-tui analyze 'runs/my run'",
    ]
    progress.end(Path("x"), "SIGINT after iteration 3")
    assert stream.getvalue().splitlines()[-4:] == [
        "stopped: SIGINT after iteration 3",
        "trained 3 iterations in 0 s, 6.14k steps in all",
        "return 20.0, best 25.0 in iteration 2",
        "go on with trpo-tui train --resume x",
    ]


def test_return_that_is_nan_is_not_the_best() -> None:
    stream = io.StringIO()
    progress = Progress(stream, 3)
    for iteration, value in ((1, math.nan), (2, -25.0), (3, math.nan)):
        progress.show(_row(iteration, episode_return_mean=value))
    progress.end(Path("x"))
    assert stream.getvalue().splitlines()[-2] == "return nan, best -25.0 in iteration 2"


def test_line_stands_whole_after_ctrl_c_was_printed_upon_it(terminal: Terminal) -> None:
    with Progress(terminal.stream, 9) as progress:
        progress.show(_row(1))
        terminal.stream.write("^C")
    progress.say("stopped")
    line, stopped = terminal.lines()
    assert line.startswith("iteration 1/9  2.05k steps")
    assert stopped == "stopped"


def test_stream_that_was_closed_silences_progress_and_nothing_else() -> None:
    stream = io.StringIO()
    progress = Progress(stream, 3)
    stream.close()
    progress.show(_row(1))
    progress.end(Path("x"))


PRINTS = """
import gymnasium, sys
from gymnasium.envs.classic_control import PendulumEnv
class Loud(PendulumEnv):
    def step(self, action):
        print("a step", flush=True)
        return super().step(action)
gymnasium.register("Loud-v0", Loud, max_episode_steps=50)
from agent.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def _rows(run: Path) -> int:
    return len(open_run(run)) if (run / "run.json").exists() else 0


def _wait_for_rows(run: Path, rows: int, process: "subprocess.Popen[Any]") -> None:
    while _rows(run) < rows:
        assert process.poll() is None
        time.sleep(0.05)


def test_training_outlives_its_terminal(tmp_path: Path) -> None:
    """As over SSH: the terminal controls the process, and hangs up."""
    run = tmp_path / "run"
    master, slave = pty.openpty()
    command = [sys.executable, "-c", PRINTS, "train", "--env=Loud-v0", f"--out={run}"]

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [*command, "--iterations=30", *SMALL],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=take_terminal,
    ) as process:
        os.close(slave)
        reader = threading.Thread(target=_read_until, args=(master, run, 3), daemon=True)
        reader.start()
        _wait_for_rows(run, 3, process)
        reader.join()
        os.close(master)
        assert process.wait(60) == 0
    done = open_run(run)
    assert (done.state.name, len(done)) == ("finished", 30)


def _read_until(master: int, run: Path, rows: int) -> None:
    while _rows(run) < rows:
        os.read(master, 65536)


def test_training_outlives_the_reader_of_its_messages(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", PRINTS, "train", "--env=Loud-v0", f"--out={run}"]
    with subprocess.Popen(
        [*command, "--iterations=30", *SMALL], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
    done = open_run(run)
    assert (done.state.name, len(done)) == ("finished", 30)
