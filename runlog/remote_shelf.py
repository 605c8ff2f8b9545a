"""The temporary folder that copies of another machine's files lie in."""

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # the module is absent there

PREFIX = "trpo-tui-"
HELD = ".held"
"""Locked as long as the process lives that made the folder."""


class Shelf:
    """A folder of its own, gone with the last that reads from it.

    A process that was killed, with its terminal perhaps, leaves its folder behind; the next one
    removes it.
    """

    def __init__(self) -> None:
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._held = os.open(self.path / HELD, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o200)
        if fcntl is not None:
            fcntl.flock(self._held, fcntl.LOCK_EX)
            (self.path / HELD).chmod(0o600)  # from now on its lock tells
        self.remove = weakref.finalize(self, _remove, self.path, self._held)


def _remove(path: Path, held: int) -> None:
    os.close(held)
    shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    for held in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{HELD}"):
        with suppress(OSError):
            _sweep_one(held)


def _sweep_one(held: Path) -> None:
    if fcntl is None or held.stat().st_mode & 0o600 != 0o600:  # being made just now
        return
    descriptor = os.open(held, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if held.stat().st_uid == os.getuid():
            shutil.rmtree(held.parent, ignore_errors=True)
    finally:
        os.close(descriptor)
