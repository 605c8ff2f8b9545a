"""The guide's text output through pipes, as people really have it: a training, ssh, a terminal."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from tmux_window import Tmux

pytestmark = pytest.mark.system
CLI = f"{sys.executable} -m trpo_tui"
BLOCK = """\
Iteration {i} | Timesteps {t}
  Avg episode reward: 0.0001
  Min/Max reward: 0.0001 / 0.0001
  Advantages - mean: 0.000000, std: 0.000000
  Policy loss: -0.0000
  KL divergence: 0.000000
  Line search: ✗ Failed

  [DEBUG]
    Advantages (raw): mean=0.000000, std=0.000000
    Gradient norm: 0.000000
    Full step norm: 0.000000
"""
TRAINER = f"""\
import sys, time
for i in range(1, 1000):
    sys.stdout.write({BLOCK!r}.format(i=i, t=2048 * i))
    time.sleep(0.1)
"""


@pytest.fixture
def trainer(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(TRAINER, encoding="utf-8")
    return path


def test_a_training_piped_into_the_screen(tmux: Tmux, trainer: Path) -> None:
    tmux.open(f"{sys.executable} -u {trainer} 2>&1 | {CLI} watch -")
    tmux.until("TRPO101", "since it 1")
    tmux.keys("q")
    tmux.until("left with 0")


def test_what_stands_in_a_terminal_is_analysed(tmux: Tmux, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(BLOCK.format(i=i, t=2048 * i) for i in range(1, 9)), encoding="utf-8")
    tmux.open(f"cat {log}")
    tmux.until("left with 0")
    command = f"tmux -S {tmux.socket} capture-pane -pJ -S - | {CLI} analyze -"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.returncode == 1, done.stderr
    assert "FAULT TRPO101 constant-reward" in done.stdout.splitlines()[0]
    assert "8 iterations" in done.stdout


@pytest.fixture
def ssh(tmp_path: Path) -> Generator[str, None, None]:
    """A real sshd on loopback with keys of its own; the command that logs in there."""
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(key, check=True)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized_keys")
    Path("/run/sshd").mkdir(exist_ok=True)
    port = 20_000 + os.getpid() % 20_000
    config = tmp_path / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nStrictModes no\n"
        f"AuthorizedKeysFile {tmp_path}/authorized_keys\nPasswordAuthentication no\n"
        f"UsePAM no\nPermitRootLogin yes\nPidFile none\n",
        encoding="utf-8",
    )
    known = (tmp_path / "host.pub").read_text(encoding="utf-8")
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{port} {known}", encoding="utf-8")
    server = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
    login = f"ssh -p {port} -i {tmp_path}/user -o UserKnownHostsFile={known_hosts} 127.0.0.1"
    for _ in range(100):
        if subprocess.run(f"{login} true", shell=True, check=False).returncode == 0:  # noqa: S602
            break
        time.sleep(0.1)
    else:
        raise AssertionError("sshd does not let us in")
    yield login
    server.terminate()
    server.wait(10)


def test_a_log_that_grows_on_another_host(
    tmux: Tmux, trainer: Path, tmp_path: Path, ssh: str
) -> None:
    log = tmp_path / "train.log"
    with (
        log.open("wb") as out,
        subprocess.Popen([sys.executable, "-u", str(trainer)], stdout=out) as training,
    ):
        tmux.open(f"{ssh} tail -n +1 -F {log} | {CLI} watch -")
        tmux.until("TRPO101", "FOLLOW", "ssh takes some of your keys: start it as `ssh -n`")
        training.terminate()


def test_with_its_own_keyboard_ssh_takes_no_keys(
    tmux: Tmux, trainer: Path, tmp_path: Path, ssh: str
) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(BLOCK.format(i=i, t=2048 * i) for i in range(1, 9)), encoding="utf-8")
    tmux.open(f"{ssh.replace('ssh', 'ssh -n', 1)} cat {log} | {CLI} watch -")
    text = tmux.until("TRPO101", "FOLLOW", "8/8")
    assert "takes some of your keys" not in text
    tmux.keys("q")
    tmux.until("left with 0")
