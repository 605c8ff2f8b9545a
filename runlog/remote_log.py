"""A copy of one remote file: a log that grows, or a table that stays."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runlog.remote_connection import Connection
from runlog.remote_files import Found, Range, names, peek
from runlog.remote_shelf import Shelf

if TYPE_CHECKING:
    from asyncssh import SFTPClient

MOST = 16 * 2**20
"""Bytes fetched in one go: what has come stays when the line is cut."""
HEAD = 256
"""Bytes at the start by which a file written anew is told from one that grew."""
LIST_SECONDS = 10.0
"""Between two looks for files that came to a folder."""


class LogMirror:
    """A file over there that may grow, and its copy here."""

    def __init__(
        self, connection: Connection, path: str, shelf: Shelf, *, folder: Path | None = None
    ) -> None:
        self._connection, self._remote, self.shelf = connection, path, shelf
        self.path = (folder or shelf.path) / (path.rpartition("/")[2] or "log")
        self.path.touch()
        self._size = 0
        self._seen: Found | None = None
        self._head = b""

    def update(self) -> None:
        """Fetch what is new; raises Cut."""
        while not self._connection.call(self._update):
            pass

    async def _update(self, sftp: "SFTPClient") -> bool:
        """Fetch some of it; whether that is all."""

        def wanted(found: Found) -> list[Range]:
            if found == self._seen:
                return []
            more = max(0, min(MOST, found.size - self._size))
            return [Range(0, min(HEAD, found.size)), Range(self._size, more)]

        peeked = await peek(sftp, self._remote, wanted, self._connection.heard)
        if peeked is None or not peeked.pieces:
            return True  # nothing new, or a log being rotated, which comes back
        found, (head, new) = peeked.found, peeked.pieces
        if found.size < self._size or not head.startswith(self._head):
            # Written anew. The copy is empty until the next look, so that whoever follows it sees
            # that and begins anew too.
            self._size, self._seen, self._head = 0, None, b""
            self.path.write_bytes(b"")
            return True
        with self.path.open("ab") as file:
            file.write(new)
        known, self._size, self._head = self._size > 0, self._size + len(new), head
        # Seen to grow means written to now, whatever the clock over there says.
        written = time.time() if known and self._seen is not None and new else found.mtime
        os.utime(self.path, (written, written))
        if self._size < found.size and new:
            return False
        self._seen = found
        return True


class EventsMirror:
    """A folder over there with TensorBoard's event files, and copies of those here."""

    def __init__(self, connection: Connection, path: str, shelf: Shelf) -> None:
        self._connection, self._remote, self.shelf = connection, path, shelf
        self.path = shelf.path / (path.rstrip("/").rpartition("/")[2] or "events")
        self.path.mkdir()
        self._files: dict[str, LogMirror] = {}
        self._listed = -LIST_SECONDS

    def update(self) -> None:
        """Fetch what is new, in files known and, now and then, in files that came; raises Cut."""
        from runlog.importers.tensorboard import MARK

        if time.monotonic() - self._listed >= LIST_SECONDS:
            found = self._connection.call(lambda sftp: names(sftp, self._remote))
            for name in sorted(n for n in found if n.startswith(MARK) and n not in self._files):
                self._files[name] = LogMirror(
                    self._connection, f"{self._remote}/{name}", self.shelf, folder=self.path
                )
            self._listed = time.monotonic()
        for file in self._files.values():
            file.update()


def log_in(listed: Mapping[str, Found]) -> str | None:
    """The log of another trainer in a folder over there; `.` is the folder, None where none is."""
    from runlog.importers.folders import log_among

    # A link is listed as such; what it leads to is seen when it is opened.
    return log_among({name: what.size for name, what in listed.items() if what.kind != "folder"})
