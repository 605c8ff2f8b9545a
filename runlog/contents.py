"""What has been read of a run's folder so far: its parts, its open segments, its settings."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runlog.assemble import newer
from runlog.chunk import CachedChunk, ParquetChunk
from runlog.errors import UserError
from runlog.folder import (
    PUBLISHED,
    RUN_JSON,
    part_path,
    parts,
    read_metadata,
    segment_path,
    segments,
)
from runlog.rows import Chunk
from runlog.wal import SegmentReader

_TRIES = 5
"""How often a segment that vanished while it was being read is looked for among the parts."""


class Contents:
    """Every row of a run once and in order; `advance` reads on. What was read is never lost."""

    def __init__(self, folder: Path, open_part: Callable[..., ParquetChunk]) -> None:
        self._folder, self._open_part = folder, open_part
        self._parts: dict[tuple[int, int], tuple[ParquetChunk, CachedChunk]] = {}
        self._damaged: dict[tuple[int, int], str] = {}
        self._segments: dict[int, SegmentReader] = {}
        self._settings: Mapping[str, Any] | None = None

    @property
    def known(self) -> bool:
        """Whether there is a run at all."""
        return self._settings is not None or bool(self._parts or self._segments)

    @property
    def signature(self) -> object:
        """Equal as long as nothing was added."""
        return (
            tuple(self._parts),
            tuple(self._damaged),
            tuple((first, r.size, r.broken) for first, r in self._segments.items()),
            self._settings is None,
        )

    @property
    def next_row(self) -> int:
        """Number the next row will have, counted over all attempts."""
        if self._segments:
            return max(reader.next_row for reader in self._segments.values())
        return self._sealed_rows

    @property
    def readers(self) -> tuple[SegmentReader, ...]:
        """The segments that no part has replaced yet, in order."""
        return tuple(self._segments.values())

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """All rows, in order."""
        sealed = (cached for _, cached in self._parts.values())
        return (*sealed, *(chunk for reader in self.readers for chunk in reader.chunks))

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """All event and end records, in order."""
        footers = [chunk.footer for chunk, _ in self._parts.values()]
        sealed = [record for footer in footers if footer for record in footer.events]
        return (*sealed, *(record for reader in self.readers for record in reader.events))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What run.json says, or a part's footer where that is damaged."""
        if self._settings is not None:
            return self._settings
        for chunk, _ in self._parts.values():
            if chunk.footer:
                return chunk.footer.metadata
        return {"run_id": next((r.run_id for r in self.readers if r.run_id), None)}

    def advance(self) -> None:
        """Bring parts and segments up to date.

        The segments are listed before the parts: one that a part has replaced meanwhile is then
        known from the part, and one that vanishes before it is read is looked for again.
        """
        if self._settings is None:
            self._settings = read_metadata(self._folder)
        for _ in range(_TRIES):
            listed = segments(self._folder)
            self._open_parts()
            for first in listed:
                if first not in self._segments or self._is_cut(self._segments[first]):
                    path = segment_path(self._folder, first)
                    self._segments[first] = SegmentReader(path, first)
            sealed, known = self._sealed_rows, self._segments
            self._segments = {first: known[first] for first in sorted(known) if first >= sealed}
            gone = [first for first, r in self._segments.items() if not r.advance()]
            for first in gone:
                if not self._segments[first].size:
                    del self._segments[first]
            if not gone:
                break

    def notes(self) -> Iterator[str]:
        """Sentences the reader must say."""
        for rows, reason in self._damaged.items():
            if rows[0] not in self._segments:
                yield f"{reason}; rows {rows[0]} to {rows[1]} are missing"
        if self._settings is None:
            yield f"{self._folder / RUN_JSON}: missing or damaged; the run's settings may be unknown"
        for reader, following in zip(self.readers, (*self.readers[1:], None), strict=False):
            if reader.broken and reader.damage:
                yield reader.damage
            elif following is not None and following.first_row > reader.next_row:
                yield f"{reader.path}: damaged from row {reader.next_row} on"
        if self.readers and self.readers[-1].broken:
            yield str(self.readers[-1].damage)
        if unknown := sum(reader.unknown for reader in self.readers):
            yield f"{unknown} records of an unknown kind were skipped; written by a newer version?"
        yield from newer(self.metadata)

    @property
    def _sealed_rows(self) -> int:
        return next(reversed(self._parts))[1] + 1 if self._parts else 0

    def _open_parts(self) -> None:
        for rows in parts(self._folder):
            if rows in self._parts or rows in self._damaged:
                continue
            start = sum(cached.rows for _, cached in self._parts.values())
            path = part_path(self._folder, *rows)
            try:
                chunk = self._open_part(path, self._folder / PUBLISHED, start)
            except FileNotFoundError:
                continue
            except UserError as error:
                self._damaged[rows] = str(error)
                continue
            self._parts[rows] = (chunk, CachedChunk(chunk))

    @staticmethod
    def _is_cut(reader: SegmentReader) -> bool:
        """Whether the file lost rows that were read: after a power cut, say."""
        try:
            return reader.path.stat().st_size < reader.size
        except FileNotFoundError:
            return False
