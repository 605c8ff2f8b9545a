"""What holds for every test: in continuous integration nothing skips; `cli` is the command line."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import pytest
from tmux_window import Tmux

# A shell starts background jobs with these ignored, and children inherit that: tests that send
# them would then wait for nothing.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGTERM, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

REFUSED = "skipped, and in continuous integration no test may skip"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {REFUSED}: {report.longrepr}"
        vars(report).pop("wasxfail", None)  # pytest counts no failure that was expected
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: {REFUSED}: {report.longrepr}"
    return report


class CommandLine(Protocol):
    """Runs `trpo-tui ARGUMENTS` in a process of its own, from a folder of its own."""

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes = b"",
        cwd: Path | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    def run(
        *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "trpo_tui", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=cwd or tmp_path,
            env=os.environ | {"PYTHONUTF8": "1"} | environment,
            timeout=120,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


@pytest.fixture
def tmux(tmp_path: Path) -> Generator[Tmux, None, None]:
    """A tmux server of the test's own, ended with it."""
    server = Tmux(tmp_path / "socket")
    yield server
    server.run("kill-server")
