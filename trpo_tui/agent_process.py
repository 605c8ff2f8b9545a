"""The only place that starts the agent: a child process that shares nothing with this one but the log."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from runlog.errors import UserError

OWN = ("agent", "analyzer", "runlog")
NEEDED = ("torch", "gymnasium", "mujoco")


def check_packages() -> None:
    """Refuse a package of another project that took the place of one of ours. Imports nothing."""
    home = Path(__file__).resolve().parent.parent
    for name in OWN:
        spec = find_spec(name)
        if spec is None:
            raise UserError(f"the package {name} is not installed: pip install trpo-tui again")
        if spec.origin is None or Path(spec.origin).resolve().parent.parent != home:
            place = spec.origin or "a folder without __init__.py"
            raise UserError(
                f"another project's package {name} ({place}) stands in the way:"
                " use a virtual environment of its own for trpo-tui"
            )


def check_training() -> None:
    """Say in one line what to install where the trainer's libraries are missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(f"training needs {' and '.join(missing)}: pip install 'trpo-tui[train]'")


def command_line(arguments: Sequence[str]) -> list[str]:
    """What is started. `-P` comes before `-m`: otherwise a user's own agent.py would be run."""
    return [sys.executable, "-P", "-m", "agent", *arguments]


def start_agent(
    arguments: Sequence[str], *, output: IO[bytes] | int | None = None, own_group: bool = False
) -> subprocess.Popen[bytes]:
    """Start `agent ARGUMENTS` beside this process; `own_group` keeps the terminal's Ctrl-C from it."""
    check_packages()
    check_training()
    return subprocess.Popen(
        command_line(arguments),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=own_group,
    )


def run_agent(arguments: Sequence[str]) -> int:
    """Run the agent in the foreground and return its exit code.

    Where the system can, the agent takes this process's place: whoever signals or kills the process
    they started then reaches the training itself, not a bystander that would leave it orphaned.
    """
    check_packages()
    check_training()
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(sys.executable, command_line(arguments))  # noqa: S606 no shell is wanted
    child = subprocess.Popen(command_line(arguments))
    while True:
        # Ctrl-C reaches the child from the terminal itself; wait until it has sealed its log.
        with suppress(KeyboardInterrupt):
            return child.wait()
