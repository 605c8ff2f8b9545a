"""A copy of one remote file: a log that grows, or a table that stays."""

import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from runlog.remote_connection import Connection
from runlog.remote_files import Found, Range, peek

if TYPE_CHECKING:
    from asyncssh import SFTPClient

MOST = 16 * 2**20
"""Bytes fetched in one go: what has come stays when the line is cut."""
HEAD = 256
"""Bytes at the start by which a file written anew is told from one that grew."""


class Shelf:
    """A temporary folder for copies, gone with the last that reads from it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="trpo-tui-"))
        self.remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class LogMirror:
    """A file over there that may grow, and its copy here."""

    def __init__(self, connection: Connection, path: str, shelf: Shelf) -> None:
        self._connection, self._remote, self.shelf = connection, path, shelf
        self.path = shelf.path / (path.rpartition("/")[2] or "log")
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
