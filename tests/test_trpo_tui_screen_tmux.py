"""The screen in a real tmux on a private socket."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runlog.writer import RunLog

pytestmark = pytest.mark.system
HEALTHY = Path(__file__).resolve().parent.parent / "sample_logs" / "healthy-hopper"
WATCH = "import sys; from trpo_tui.app import watch; sys.exit(watch(sys.argv[1]))"


def watching(path, locale="C.UTF-8"):
    return f"env LC_ALL={locale} {sys.executable} -c '{WATCH}' {path}"


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
    tmux.open(watching(broken), columns, rows)
    text = tmux.until("run-17", "FINISHED", "TRPO101", "fix (founded)", "FOLLOW", "quit")
    assert len(text.rstrip("\n").splitlines()) == rows
    tmux.keys("q")
    tmux.until("left with 0")


def test_a_resize_and_a_detached_client_lose_nothing(tmux, broken):
    tmux.open(watching(broken), 80, 23)
    tmux.until("TRPO101")
    tmux.run("resize-window", "-x", "120", "-y", "40")
    tmux.until("gradient_norm", "30/30")
    tmux.run("resize-window", "-x", "60", "-y", "20")
    tmux.until("TRPO101", "30/30")


def test_the_c_locale_shows_no_replacement_characters(tmux, broken):
    tmux.open(watching(broken, locale="C"), 80, 24)
    text = tmux.until("TRPO101", "30/30")
    assert text.isascii()


def test_copying_fills_the_tmux_buffer_and_a_file(tmux, broken):
    tmux.open(watching(broken), 80, 24)
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
        tmux.open(watching(path), 80, 23)
        tmux.until("LIVE", "it 5")
        writer.kill()
        tmux.until("KILLED")


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (110, 30), (120, 30), (140, 40)])
def test_nothing_of_another_screen_stays_behind(tmux, columns, rows):
    tmux.open(watching(HEALTHY), columns, rows)
    tmux.until("guide: ", "/", "quit")
    before = settled(tmux)
    for key in "24":
        tmux.keys(key)
        assert settled(tmux) != before
        tmux.keys("1")
        tmux.until("guide: ", "quit")
        assert settled(tmux) == before


def settled(tmux):
    """The text of the window once it has stood still for a second."""
    text, since = "", time.monotonic()
    while time.monotonic() - since < 1:
        if (now := tmux.run("capture-pane", "-p")) != text:
            text, since = now, time.monotonic()
        time.sleep(0.1)
    return text


def test_the_side_column_shows_the_whole_time_of_the_row(tmux):
    tmux.open(watching(HEALTHY), 140, 40)
    text = tmux.until("guide: ", "quit", " time ")
    (line,) = [line for line in text.splitlines() if " time " in line]
    assert re.search(r" time +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", line.rstrip())


def test_it_goes_to_the_shell_and_comes_back(tmux, broken):
    tmux.open("env PS1='shell$ ' bash --norc -i", 80, 24)
    tmux.run("send-keys", watching(broken), "Enter")
    tmux.until("TRPO101", "30/30")
    tmux.run("send-keys", "C-z")
    tmux.until("Stopped", "shell$")
    tmux.run("send-keys", "fg", "Enter")
    tmux.until("TRPO101", "30/30", "quit")
    tmux.run("send-keys", "Left")
    tmux.until("29/30")


@pytest.mark.parametrize(
    "terminal", ["xterm", "screen", "xterm-256color", "tmux-256color", "vt100"]
)
def test_terminals_of_few_colours_show_the_same_words(tmux, broken, terminal):
    tmux.open(f"env TERM={terminal} {watching(broken)}", 80, 24)
    text = tmux.until("TRPO101", "30/30", "quit")
    assert "�" not in text
    assert "\\x1b" not in text
