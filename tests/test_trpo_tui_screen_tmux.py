"""The screen in a real tmux on a private socket."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runlog.writer import RunLog

pytestmark = pytest.mark.system
WATCH = "import sys; from trpo_tui.app import watch; sys.exit(watch(sys.argv[1]))"


class Tmux:
    """One window of a server of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        assert shutil.which("tmux"), "tmux is not installed"

    def run(self, *arguments):
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def open(self, path, columns, rows, locale="C.UTF-8"):
        command = (
            f"env LC_ALL={locale} {sys.executable} -c '{WATCH}' {path}; echo left with $?; cat"
        )
        self.run("-u", "new-session", "-d", "-x", str(columns), "-y", str(rows), command)
        self.run("set", "-g", "status", "off")

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def until(self, *said):
        for _ in range(150):
            text = self.run("capture-pane", "-p")
            if all(word in text for word in said):
                return text
            time.sleep(0.2)
        raise AssertionError(f"{said} never appeared:\n{text}")


@pytest.fixture
def tmux(tmp_path):
    server = Tmux(tmp_path / "socket")
    yield server
    server.run("kill-server")


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "run-17"
    with RunLog(path, env_id="Hopper-v5") as log:
        for i in range(30):
            log.iteration(
                episode_return_mean=100.0 + i, reward_min=1.0, reward_max=1.0, reward_mean=1.0,
                kl=0.0095, max_kl=0.01, episodes_terminated=0, gradient_norm=0.05,
            )  # fmt: skip
    return path


@pytest.mark.parametrize(("columns", "rows"), [(80, 23), (140, 40)])
def test_cause_and_fix_are_read_without_a_key(tmux, broken, columns, rows):
    tmux.open(broken, columns, rows)
    text = tmux.until("run-17", "FINISHED", "TRPO101", "fix (founded)", "FOLLOW", "quit")
    assert len(text.rstrip("\n").splitlines()) == rows
    tmux.keys("q")
    tmux.until("left with 0")


def test_a_resize_and_a_detached_client_lose_nothing(tmux, broken):
    tmux.open(broken, 80, 23)
    tmux.until("TRPO101")
    tmux.run("resize-window", "-x", "120", "-y", "40")
    tmux.until("gradient_norm", "30/30")
    tmux.run("resize-window", "-x", "60", "-y", "20")
    tmux.until("TRPO101", "30/30")


def test_the_c_locale_shows_no_replacement_characters(tmux, broken):
    tmux.open(broken, 80, 24, locale="C")
    text = tmux.until("TRPO101", "30/30")
    assert text.isascii()


def test_copying_fills_the_tmux_buffer_and_a_file(tmux, broken):
    tmux.open(broken, 80, 24)
    tmux.until("TRPO101")
    tmux.keys("c")
    tmux.until("written to")
    buffer = tmux.run("show-buffer")
    assert "TRPO101" in buffer
    assert (broken / "diagnosis-it30.md").read_text(encoding="utf-8") == buffer


def test_a_killed_writer_is_shown(tmux, tmp_path):
    path = tmp_path / "live"
    code = (
        "import sys, time; from runlog.writer import RunLog\n"
        "with RunLog(sys.argv[1]) as log:\n"
        "    while True: log.iteration(kl=0.01); print(1, flush=True); time.sleep(0.2)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        tmux.open(path, 80, 23)
        tmux.until("LIVE", "it 5")
        writer.kill()
        tmux.until("KILLED")
