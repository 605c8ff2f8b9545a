"""The screen on a real pseudo-terminal: bytes, colours, keys, a writer that dies."""

import contextlib
import fcntl
import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest

from runlog.writer import RunLog

WATCH = "import sys; from trpo_tui.app import watch; sys.exit(watch(sys.argv[1]))"
WRITER = """
import sys, time
from runlog.writer import RunLog
with RunLog(sys.argv[1], env_id="Hopper-v5") as log:
    for i in range(10_000):
        log.iteration(episode_return_mean=float(i), kl=0.009, max_kl=0.01)
        print(i, flush=True)
        time.sleep(0.1)
"""
SAMPLES = Path(__file__).parent.parent / "sample_logs"
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(3[0-8]|4[0-8]|9\d|10[0-7])[;m]")


class Terminal:
    """A child on a pseudo-terminal whose screen pyte keeps."""

    def __init__(self, command, *, columns=80, rows=24, stdin=None, **environment):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("LC_", "LANG", "TMUX", "NO_COLOR"))
        }
        given = {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if stdin is not None:
                os.dup2(stdin, 0)
            os.execvpe(command[0], command, kept | given)  # noqa: S606
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """Take what comes within that time; returns how many bytes."""
        before, end = len(self.sent), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data = os.read(self.fd, 65_536)
                except OSError:
                    break
                if not data:
                    break
                self.sent += data
                self.stream.feed(data)
        return len(self.sent) - before

    @property
    def text(self):
        return "\n".join(self.screen.display)

    def until(self, *said):
        for _ in range(300):
            if all(word in self.text for word in said):
                return
            self.read(0.1)
        raise AssertionError(f"{said} never appeared:\n{self.text}")

    def until_still(self):
        for _ in range(100):
            if self.read(0.7) == 0:
                return
        raise AssertionError("the screen never came to rest")

    def settle(self):
        """Until nothing more comes for a moment."""
        while self.read(0.15):
            pass

    def press(self, keys):
        os.write(self.fd, keys)

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def cells(self):
        """Every cell of the screen: its sign and how it looks."""
        screen = self.screen
        return [
            [(c.data, c.fg, c.bold, c.reverse) for c in (line[x] for x in range(screen.columns))]
            for line in (screen.buffer[y] for y in range(screen.lines))
        ]

    def end(self):
        """Wait for the child; returns its exit code."""
        for _ in range(200):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read(0.2)
                return os.waitstatus_to_exitcode(status)
            self.read(0.05)
            time.sleep(0.05)  # after the end there is nothing to wait for in read
        raise AssertionError(f"it did not end:\n{self.text}")


@contextlib.contextmanager
def terminal(command, **arguments):
    child = Terminal(command, **arguments)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        os.close(child.fd)


def watching(path, **arguments):
    return terminal([sys.executable, "-c", WATCH, str(path)], **arguments)


@pytest.fixture
def broken(tmp_path):
    """A finished run whose reward is constant."""
    path = tmp_path / "run-17"
    with RunLog(path, env_id="Hopper-v5") as log:
        for i in range(30):
            log.iteration(
                episode_return_mean=100.0 + i, reward_min=1.0, reward_max=1.0, reward_mean=1.0,
                kl=0.0095, max_kl=0.01, episodes_terminated=0, gradient_norm=0.05,
            )  # fmt: skip
        log.event("checkpoint", "checkpoints/30.pt")
    return path


def test_a_finished_run_is_read_moved_through_and_left(broken):
    with watching(broken, rows=23) as child:
        child.until("run-17", "FINISHED", "TRPO101", "fix (founded)", "30/30", "FOLLOW", "quit")
        assert "ⓘ" not in child.text
        child.press(b"\x1b[D\x1b[D")
        child.until("28/30", "PAUSED")
        child.press(b"d")
        child.until("CAUSE")
        child.press(b"q")
        assert child.end() == 0
    assert (broken / "run.parquet").is_file()


def test_at_rest_not_one_byte_is_sent(broken):
    with watching(broken) as child:
        child.until("TRPO101", "30/30")
        child.until_still()
        assert child.read(2.0) == 0
        child.press(b"\x1b[D")
        child.until("29/30")
        child.until_still()
        assert child.read(2.0) == 0


SENT_KEYS = [
    b"\x1b[D", b"\x1b[C", b"\x1b[A", b"\x1b[B", b"\x1b[H", b"\x1b[F", b"\t", b"\r", b"\x1b", b"(", b")",
    *(bytes([key]) for key in b"1234567+-0HLyxsozhjkl[]nN:gT/deftr<>"),
]  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_what_is_sent_cell_by_cell_is_what_a_whole_repaint_shows(tmp_path, size):
    path = tmp_path / "run"
    shutil.copytree(SAMPLES / "TRPO501-line-search-failure", path)
    chance = random.Random(sum(size))
    with watching(path, columns=size[0], rows=size[1]) as child:
        child.until("TRPO501", "quit")
        for _ in range(12):
            for _ in range(10):
                child.press(chance.choice(SENT_KEYS))
                child.read(0.04)
            child.press(b"\x1b")  # out of a question, on which both may differ
            child.settle()
            cells = child.cells
            child.resize(size[0] + 1, size[1])
            child.settle()
            child.resize(*size)
            child.settle()
            shown = ["".join(cell[0] for cell in line) for line in child.cells]
            assert shown == ["".join(cell[0] for cell in line) for line in cells]
            assert child.cells == cells


def test_the_terminals_cursor_stands_where_keys_act(broken):
    with watching(broken) as child:
        child.until("TRPO101", "30/30", "quit")
        child.press(b"\x1b[D")
        child.until("29/30")
        child.settle()
        marked = next(y for y, line in enumerate(child.screen.display) if line.startswith("▶"))
        assert (child.screen.cursor.x, child.screen.cursor.y) == (0, marked)
        child.press(b"g12")
        child.until("go to iteration", "12")
        child.settle()
        line = child.screen.display[23]
        assert (child.screen.cursor.x, child.screen.cursor.y) == (len(line.rstrip()), 23)
        child.press(b"\x1b")
        child.press(b"4")
        child.until("kl")
        child.press(b"jj")
        child.settle()
        assert child.screen.cursor.y >= 3


def test_without_colour_every_screen_and_the_prompt_send_none(broken):
    with watching(broken, NO_COLOR="1") as child:
        child.until("TRPO101")
        for key, said in ((b"2", "CAUSE"), (b"3", "checkpoint"), (b"7", "This page"), (b"4", "kl")):
            child.press(key)
            child.until(said)
        child.press(b"/")
        child.until("columns with (none: all):")
        child.press(b"max_k\r")
        child.until("max_kl", "Trust region", "quit")
        child.press(b"q")
        assert child.end() == 0
        assert COLOUR.search(child.sent) is None


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LANG": ""}])
def test_a_locale_without_unicode_gets_ascii_only(broken, locale):
    with watching(broken, **locale) as child:
        child.until("TRPO101", "30/30")
        for key, said in ((b"2", "CAUSE"), (b"4", "kl"), (b"7", "This page"), (b"1", "FOLLOW")):
            child.press(key)
            child.until(said)
        child.press(b"q")
        child.end()
        assert child.sent.isascii()


def test_a_dumb_terminal_gets_lines(broken):
    with watching(broken, TERM="dumb") as child:
        assert child.end() == 0
        assert b"\x1b" not in child.sent
        assert b"The run has finished, at iteration 30:" in child.sent
        assert b"Fix (founded)" in child.sent


def test_a_missing_path_is_one_line_before_any_screen(tmp_path):
    with watching(tmp_path / "nothing") as child:
        assert child.end() != 0
        assert b"no such file or folder" in child.sent
        assert b"\x1b[?1049h" not in child.sent


def test_rows_arrive_while_one_watches_and_a_kill_is_said(tmp_path):
    path = tmp_path / "live"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with watching(path) as child:
            child.until("LIVE", "it 15")
            child.press(b"\x1b[H")
            child.until("PAUSED")
            child.press(b"\x1b[F")
            child.until("FOLLOW")
            writer.kill()
            child.until("KILLED")
            child.press(b"q")
            assert child.end() == 0


def test_leaving_does_not_touch_the_run(tmp_path):
    path = tmp_path / "live"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with watching(path) as child:
            child.until("LIVE")
            child.press(b"\x03")
            assert child.end() == 0
        assert writer.poll() is None
        assert writer.stdout.readline()
        writer.kill()


BLOCK = """Iteration {i} | Timesteps {steps}
  Avg episode reward: 0.0001
  Min/Max reward: 0.0001 / 0.0001
  Advantages - mean: 0.000000, std: 0.000000
  Policy loss: -0.0000
  KL divergence: 0.000000
  Line search: ✗ Failed
"""


def test_a_piped_log_is_watched_while_keys_come_from_the_terminal():
    out, into = os.pipe()
    command = [sys.executable, "-c", WATCH, "-"]
    with terminal(command, stdin=out) as child:
        os.close(out)
        try:
            for i in range(1, 13):
                os.write(into, BLOCK.format(i=i, steps=2048 * i).encode())
            child.until("standard input", "it 1")
            child.press(b"\x1b[H")
            child.until("PAUSED")
            child.press(b"4")
            child.until("episode_return_mean")
            child.press(b"q")
            assert child.end() == 0
        finally:
            os.close(into)


def test_a_folder_of_runs_is_picked_from(broken, tmp_path):
    with RunLog(tmp_path / "other") as log:
        log.iteration(kl=0.01)
    with watching(tmp_path) as child:
        child.until("run-17", "other", "constant-reward")
        child.press(b"\x1b[B\r")
        child.until("30/30", "TRPO101")
        child.press(b"5")
        child.until("verdict", "other")
        child.press(b"q")
        assert child.end() == 0
