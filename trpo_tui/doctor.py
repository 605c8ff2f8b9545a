"""What this machine does to trpo-tui, in ten lines that can be pasted: terminal, clipboard, disk."""

import contextlib
import fcntl
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryFile

from runlog.errors import UserError
from trpo_tui import __version__
from trpo_tui.settings_file import read_settings, settings_path
from trpo_tui.terminal import (
    environment_at_start,
    screen_possible,
    speaks_unicode,
    state_folder,
    way_to_clipboard,
)

PACKAGES = ("numpy", "pyarrow", "textual", "pandas", "torch", "mujoco", "gymnasium", "asyncssh")
REMOTE_DISKS = ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "fuse.sshfs", "9p")
"""Kinds on which another host's lock may not be seen, so that a run's state goes by its age."""


def report(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and finding, line by line. `folder`: where runs lie."""
    yield "trpo-tui", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    yield "terminal", _terminal()
    yield "letters", _letters()
    yield "colours", _colours()
    yield "around it", _around()
    yield "clipboard", f"{way_to_clipboard()}; a file is written too, next to the run"
    yield "disk", _disk(folder)
    yield "settings", _settings()
    yield "own files", _state()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _terminal() -> str:
    term = os.environ.get("TERM") or "not set"
    if not screen_possible():
        why = "TERM says it cannot" if term in ("dumb", "not set") else "output is no terminal"
        return f"TERM {term}: no screen ({why}); watch prints lines"
    size = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    small = "; smaller than 60x20: one panel at a time" if size.columns < 60 else ""
    return f"TERM {term}, {size.columns}x{size.lines}{small}"


def _letters() -> str:
    environment = environment_at_start()
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    said = next((f"{n}={environment[n]}" for n in names if environment.get(n)), "no locale is set")
    if speaks_unicode(environment):
        return f"{said}: Unicode, charts in Braille"
    return f"{said}: ASCII; `export LC_ALL=C.UTF-8` where the terminal can show more"


def _colours() -> str:
    if "NO_COLOR" in os.environ:
        return "NO_COLOR is set: none"
    deep = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    many = "256" in os.environ.get("TERM", "")
    return "16 million" if deep else "256" if many else "16"


def _around() -> str:
    parts = []
    if os.environ.get("TMUX"):
        parts.append(f"inside tmux {os.environ.get('TERM_PROGRAM_VERSION', '')}".rstrip())
    elif os.environ.get("STY"):
        parts.append("inside screen")
    if os.environ.get("SSH_CONNECTION"):
        parts.append("over SSH: four pictures a second")
    elif sys.platform == "linux" and "microsoft" in platform.release().lower():
        parts.append("in WSL")
    return ", ".join(parts) or "no multiplexer, no SSH"


def _disk(folder: Path) -> str:
    try:
        free = shutil.disk_usage(folder).free / 2**30
        with TemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            took = 1e3 * (time.perf_counter() - begun)
            locks = True
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                locks = False
    except OSError as error:
        return f"{folder}: nothing can be written here ({error.strerror})"
    kind = _kind(folder)
    remote = "; from another host a run's state goes by its age" if kind in REMOTE_DISKS else ""
    return (
        f"{kind}, {free:.1f} GB free, fsync {took:.1f} ms, locks {'work' if locks else 'fail'}"
        f"{remote}"
    )


def _kind(folder: Path) -> str:
    """The file system that holds a folder, by the longest mount point above it."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "disk"
    place = folder.resolve()
    above = [(len(m[1]), m[2]) for m in mounts if place.is_relative_to(m[1])]
    return max(above)[1] if above else "disk"


def _settings() -> str:
    place = settings_path()
    try:
        settings = read_settings()
    except UserError as error:
        return str(error)
    if not place.is_file():
        return f"none at {place}"
    own = f"{len(settings.keys)} keys of your own"
    return f"{place}: {own}{f', theme {settings.theme}' if settings.theme else ''}"


def _state() -> str:
    place = state_folder()
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=place):
            return f"{place}"
    return f"{place}: cannot be written; set XDG_STATE_HOME"
