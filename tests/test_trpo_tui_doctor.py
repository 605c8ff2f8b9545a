"""`trpo-tui doctor`: ten lines that are true of this machine."""

import os
from pathlib import Path

import pytest

from trpo_tui import __version__
from trpo_tui.doctor import report


def test_ten_lines_that_can_be_pasted(cli, tmp_path):
    done = cli("doctor", str(tmp_path))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 10
    assert __version__ in lines[0]
    assert "no screen" in lines[2]


@pytest.mark.parametrize(
    ("name", "value", "line", "said"),
    [("NO_COLOR", "1", "colours", "NO_COLOR is set: none"), ("TMUX", "x", "around it", "tmux"),
     ("TERM", "dumb", "terminal", "TERM says it cannot"),
     ("SSH_CONNECTION", "a b", "around it", "over SSH")],
)  # fmt: skip
def test_what_the_environment_says_is_told(name, value, line, said, monkeypatch):
    monkeypatch.setenv(name, value)
    assert said in dict(report(Path()))[line]


def test_a_folder_one_may_not_write_and_a_broken_config_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    place = tmp_path / "trpo-tui" / "config.toml"
    place.parent.mkdir()
    place.write_text("[keys]\nfly = 'x'\n")
    found = dict(report(Path("/proc")))
    assert "nothing can be written" in found["disk"]
    assert "keys.fly: no such action" in found["settings"]
    free = os.statvfs(tmp_path).f_bavail
    assert free == 0 or "GB free, fsync" in dict(report(tmp_path))["disk"]
