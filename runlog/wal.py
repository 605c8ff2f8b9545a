"""One segment of the write-ahead log: appended to by the writer, followed by readers."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runlog.chunk import CachedChunk
from runlog.folder import sync_data, write_all
from runlog.records import frame, header, scan
from runlog.run import RecordChunk

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


class OpenSegment:
    """A segment open for appending: a record is on disk whole or not at all."""

    def __init__(self, path: Path, *, run_id: str, first_row: int) -> None:
        self.path = path
        self.first_row = first_row
        self._descriptor = os.open(path, _APPEND, 0o666)
        self.size = os.fstat(self._descriptor).st_size
        """Bytes up to the end of the last whole record."""
        self._before = self.size
        self._whole = True
        if self.size == 0:
            try:
                self.append(frame(header(run_id=run_id, first_row=first_row)))
            except OSError:
                self.close()
                path.unlink(missing_ok=True)
                raise

    def append(self, lines: bytes) -> None:
        """Append framed records, all or none; after an OSError the segment is as it was."""
        if not self._whole:
            self._mend()
        # Counted before it is written: a Ctrl-C after the write must not make it look half done.
        self._whole = False
        self._before = self.size
        self.size += len(lines)
        try:
            write_all(self._descriptor, lines)
        except OSError:
            with suppress(OSError):
                self._mend()
            raise
        self._whole = True

    def _mend(self) -> None:
        """Take back a record that an error or a Ctrl-C cut short."""
        if os.fstat(self._descriptor).st_size != self.size:
            os.ftruncate(self._descriptor, self._before)
            self.size = self._before
        self._whole = True

    def is_there(self) -> bool:
        """Whether the file still has its name: a removed folder takes what is written unseen."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def sync(self) -> None:
        """Make what was appended survive a power cut."""
        sync_data(self._descriptor)

    def close(self) -> None:
        """Close the file; it is complete as it stands."""
        os.close(self._descriptor)


class SegmentReader:
    """What has been read of a segment so far; `advance` reads on, reopening the file."""

    def __init__(self, path: Path, first_row: int) -> None:
        self.path = path
        self.first_row = first_row
        self.next_row = first_row
        self.size = 0
        """Bytes of the valid prefix read so far."""
        self.left = 0
        """Bytes that follow and are no whole record (yet)."""
        self.broken = False
        """Whether a line end is among them: then they never will be."""
        self.unknown = 0
        self.events: list[Mapping[str, Any]] = []
        """Event and end records, in order."""
        self.last_kind: str | None = None
        self.run_id: str | None = None
        self.chunks: list[CachedChunk] = []

    def advance(self, most: int = -1) -> bool:
        """Take the valid records appended since, of `most` bytes; False if the file is gone."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.size)
                data = file.read(most)
        except FileNotFoundError:
            return False
        found = scan(data)
        self.left = len(data) - found.size
        self.broken = data.find(b"\n", found.size) >= 0
        self.size += found.size
        self.unknown += found.unknown
        self._take(found.records)
        return True

    @property
    def damage(self) -> str | None:
        """One sentence about the bytes that are left; None if there are none."""
        if not self.left:
            return None
        return (
            f"{self.path.name}: {self.left} bytes after row {self.next_row} are damaged or half "
            "written; what they held is left out"
        )

    def rows(self) -> list[Mapping[str, Any]]:
        """Every row read so far, as a mapping from column to value."""
        return [row for chunk in self.chunks for row in _records(chunk)]

    def _take(self, records: tuple[dict[str, Any], ...]) -> None:
        rows: list[Mapping[str, Any]] = []
        for record in records:
            kind = self.last_kind = record["kind"]
            if kind == "iteration":
                if record["row"] >= self.next_row:
                    rows.append(record["values"])
                    self.next_row = record["row"] + 1
            elif kind == "header":
                self.run_id = record.get("run_id")
            else:
                self.events.append(record)
        if rows:
            self._append(tuple(rows))

    def _append(self, rows: tuple[Mapping[str, Any], ...]) -> None:
        # Sizes fall by half or more from chunk to chunk, so their number stays logarithmic and a
        # row is copied a logarithmic number of times.
        while self.chunks and self.chunks[-1].rows <= 2 * len(rows):
            rows = _records(self.chunks.pop()) + rows
        self.chunks.append(CachedChunk(RecordChunk(rows)))


def _records(chunk: CachedChunk) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(chunk.inner, RecordChunk):
        raise TypeError("a segment's rows are records")
    return chunk.inner.records
