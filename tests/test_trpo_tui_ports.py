"""Reading runs where the system lacks what Linux has: file locks, fdatasync, the boot id."""

import subprocess
import sys
from pathlib import Path

import pytest

from runlog import RunLog

BARE = """\
import builtins, os, sys
sys.modules["fcntl"] = None
del os.fdatasync
real = builtins.open
def without_boot_id(file, *rest, **named):
    if "boot_id" in str(file):
        raise FileNotFoundError(file)
    return real(file, *rest, **named)
builtins.open = without_boot_id
import io
io.open = without_boot_id
from trpo_tui.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    with RunLog(path) as log:
        for i in range(1, 12):
            log.iteration(iteration=i, reward_min=1.0, reward_max=1.0, kl=0.01)
    return path


@pytest.mark.parametrize(
    ("arguments", "code"), [(("analyze",), 1), (("watch", "--plain"), 0)], ids=["analyze", "watch"]
)
def test_a_run_is_read_without_locks_fdatasync_and_boot_id(
    broken: Path, arguments: tuple[str, ...], code: int
) -> None:
    command = [sys.executable, "-c", BARE, *arguments, str(broken)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, "")
    assert "constant-reward" in done.stdout or "Every step pays the same reward" in done.stdout
