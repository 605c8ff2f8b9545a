"""A real sshd on loopback, with keys and settings of its own, watched and analysed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from runlog.writer import RunLog

pytestmark = pytest.mark.system
SSHD = "/usr/sbin/sshd"
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


class Sshd:
    """An sshd of the test's own, and a home folder whose ssh configuration calls it `box`."""

    def __init__(self, folder):
        assert os.access(SSHD, os.X_OK), "sshd is not installed"
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself in
        self.folder, self.home = folder, folder / "home"
        ssh = self.home / ".ssh"
        ssh.mkdir(parents=True, mode=0o700)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        for key in (folder / "host_key", ssh / "id_ed25519"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
            subprocess.run(command, check=True)
        shutil.copy(ssh / "id_ed25519.pub", folder / "authorized_keys")
        host = " ".join((folder / "host_key.pub").read_text().split()[:2])
        (ssh / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host}\n")
        (ssh / "config").write_text(f"Host box\n  HostName 127.0.0.1\n  Port {self.port}\n")
        (folder / "sshd_config").write_text(CONFIG.format(port=self.port, folder=folder))
        self.start()

    def start(self):
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self.process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("sshd did not start")

    def stop(self):
        """Kill the listener and every session of it."""
        if self.process.returncode is None:
            below = [self.process.pid]
            for pid in below:
                below += _children(pid)
            for pid in below:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    @property
    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SSH_")}
        return kept | {"HOME": str(self.home), "PYTHONUTF8": "1"}

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "trpo_tui", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


def _children(parent):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            its_parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(its_parent) == parent:
                found.append(int(stat.parent.name))
    return found


@pytest.fixture
def sshd(tmp_path):
    made = Sshd(tmp_path)
    yield made
    made.stop()


def broken(path, n=30):
    with RunLog(path, env_id="Hopper-v5") as log:
        for i in range(n):
            log.iteration(
                episode_return_mean=100.0 + i, reward_min=1.0, reward_max=1.0, reward_mean=1.0,
                kl=0.0095, max_kl=0.01, episodes_terminated=0, gradient_norm=0.05,
            )  # fmt: skip


def test_a_run_and_a_folder_of_runs_are_analysed(sshd, tmp_path):
    for name in ("17", "18"):
        broken(tmp_path / "runs" / name)
    done = sshd.run("analyze", f"ssh://box{tmp_path}/runs/17")
    assert done.returncode == 1, done.stderr
    assert "TRPO101" in done.stdout
    done = sshd.run("analyze", f"ssh://box{tmp_path}/runs")
    assert done.returncode == 1, done.stderr
    assert "TRPO101 constant-reward: 2 runs" in done.stdout
    done = sshd.run("analyze", f"ssh://box{tmp_path}/runs/19")
    assert done.returncode == 2
    assert done.stderr == f"trpo-tui: ssh://box{tmp_path}/runs/19: no such file or folder\n"


def test_lines_go_on_after_sshd_was_killed_and_came_back(sshd, tmp_path):
    path = tmp_path / "run-17"
    log = RunLog(path)
    log.iteration(iteration=1, kl=0.01)
    command = [sys.executable, "-u", "-m", "trpo_tui", "watch", "--plain", f"ssh://box{path}"]
    with subprocess.Popen(
        command, env=sshd.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as watching:
        said = ""

        def until(words):
            nonlocal said
            while words not in said:
                line = watching.stdout.readline()
                assert line, said
                said += line

        until("The run is live")
        sshd.stop()
        until("Connection lost, retrying in 1 s.")
        for i in range(2, 9):
            log.iteration(iteration=i, kl=0.01, episode_return_mean=float(i))
        sshd.start()
        until("The connection is back.")
        log.close()
        until("The run has finished, at iteration 8")
        assert watching.wait(20) == 0


def test_the_screen_goes_on_after_sshd_was_killed_and_came_back(sshd, tmux, tmp_path):
    path = tmp_path / "run-17"
    log = RunLog(path, env_id="Hopper-v5")
    log.iteration(iteration=1, kl=0.01)
    environment = f"env -u SSH_AUTH_SOCK HOME={sshd.home} LC_ALL=C.UTF-8"
    tmux.open(f"{environment} {sys.executable} -m trpo_tui watch ssh://box{path}", 80, 24)
    tmux.until("run-17", "LIVE", "it 1")
    sshd.stop()
    tmux.until("LIVE", "connection lost, retrying in")
    log.iteration(iteration=2, kl=0.01)
    sshd.start()
    text = tmux.until("LIVE", "it 2")
    assert "connection lost" not in text
    log.close()
    tmux.until("FINISHED")
    tmux.keys("q")
    tmux.until("left with 0")


def test_a_run_is_picked_from_a_folder_over_there(sshd, tmux, tmp_path):
    for name in ("17", "18"):
        broken(tmp_path / "runs" / name)
    environment = f"env -u SSH_AUTH_SOCK HOME={sshd.home} LC_ALL=C.UTF-8"
    tmux.open(f"{environment} {sys.executable} -m trpo_tui watch ssh://box{tmp_path}/runs", 80, 24)
    tmux.until("17", "18", "TRPO101", "FINISHED")
    tmux.keys("Down", "Enter")
    tmux.until("18 Hopper-v5", "fix (founded)")
    tmux.keys("5")
    tmux.until("17", "18", "verdict")
    tmux.keys("q")
    tmux.until("left with 0")
