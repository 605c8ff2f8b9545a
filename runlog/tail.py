"""A run that is followed: every poll takes what was added, exactly once and in order."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from runlog.assemble import assemble, newer, published_run
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
from runlog.lock import Heart, Life
from runlog.rows import Chunk
from runlog.run import Run, State
from runlog.state import ended_state, live_state, state_of
from runlog.wal import SegmentReader

LIFE_SECONDS = 2.0
"""How often a poll looks whether the writer lives."""


class Follower(Protocol):
    """What follows a run or a log: `run` is what is known now, `poll` asks for more."""

    @property
    def run(self) -> Run: ...
    def poll(self) -> Run | None: ...
    def close(self) -> None: ...


class Pulse(Protocol):
    """What tells whether the writer of a run lives."""

    def look(self) -> Life: ...


class Tail:
    """Follows a run's folder on a file system of this machine.

    `attempt`: the attempt to show; None shows the newest. Nothing stays open between polls, so
    that a file replaced or removed meanwhile is noticed. Raises UserError where no run is.
    `heart`, `clock` and `open_part` are for a copy of another machine's run: how its writer's life
    is told, what time it is there (Unix seconds), how a Parquet file is read.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        attempt: int | None = None,
        heart: Pulse | None = None,
        clock: Callable[[], float] = time.time,
        open_part: Callable[..., ParquetChunk] = ParquetChunk,
    ) -> None:
        self._folder = Path(path)
        self._attempt = attempt
        self._heart: Pulse = heart or Heart(self._folder)
        self._clock, self._open_part = clock, open_part
        self._life: Life = "alive"
        self._looked: float | None = None
        self._parts: dict[tuple[int, int], tuple[ParquetChunk, CachedChunk]] = {}
        self._damaged: dict[tuple[int, int], str] = {}
        self._segments: dict[int, SegmentReader] = {}
        self._metadata: Mapping[str, Any] | None = None
        self._signature: object = None
        run = self.poll()
        if run is None:
            raise UserError(f"{path}: no run here; give a run's folder, a run.parquet or a log")
        self._run = run

    @property
    def run(self) -> Run:
        """The run as of the last poll."""
        return self._run

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

    def poll(self) -> Run | None:
        """The run if anything about it has changed since the last poll, else None."""
        if self._signature == PUBLISHED:
            return None
        published = self._folder / PUBLISHED
        if not published.is_file():
            # The life is looked at before the files: what a writer that is gone wrote is then there.
            self._look()
            self._advance()
        if published.is_file():
            self._signature = PUBLISHED
            self._run = published_run(self._open_part(published), attempt=self._attempt)
            return self._run
        run = self._changed()
        if run is not None:
            self._run = run
        return run

    def close(self) -> None:
        """Nothing is held open between polls; a tail may be dropped at any time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _look(self) -> None:
        now = time.monotonic()
        if self._looked is None or now - self._looked >= LIFE_SECONDS:
            self._life, self._looked = self._heart.look(), now

    def _advance(self) -> None:
        """Bring parts and segments up to date.

        The segments are listed before the parts: one that a part has replaced meanwhile is then
        known from the part, and one that vanishes before it is read is looked for again.
        """
        for _ in range(5):
            firsts = segments(self._folder)
            self._open_parts()
            self._segments = {
                first: self._segments.get(first)
                or SegmentReader(segment_path(self._folder, first), first)
                for first in firsts
                if first >= self._sealed_rows
            }
            if all(reader.advance() for reader in self._segments.values()):
                return

    @property
    def _sealed_rows(self) -> int:
        return next(reversed(self._parts))[1] + 1 if self._parts else 0

    def _open_parts(self) -> None:
        for rows in parts(self._folder):
            if rows in self._parts or rows in self._damaged:
                continue
            start = sum(cached.rows for _, cached in self._parts.values())
            try:
                chunk = self._open_part(
                    part_path(self._folder, *rows), self._folder / PUBLISHED, start
                )
            except FileNotFoundError:
                continue
            except UserError as error:
                self._damaged[rows] = str(error)
                continue
            self._parts[rows] = (chunk, CachedChunk(chunk))

    def _changed(self) -> Run | None:
        if self._metadata is None:
            self._metadata = read_metadata(self._folder)
        if self._metadata is None and not self._parts and not self._segments:
            return None
        signature = (
            tuple(self._parts),
            tuple(self._damaged),
            tuple((first, reader.size) for first, reader in self._segments.items()),
            self._metadata is None,
        )
        records = self._records()
        if signature != self._signature:
            self._signature = signature
            run = assemble(
                tuple(self._chunks()),
                metadata=self._known_metadata(),
                records=records,
                attempt=self._attempt,
                notes=tuple(self._notes()),
            )
            return replace(run, state=self._state(run, records))
        state = self._state(self._run, records)
        return None if state == self._run.state else replace(self._run, state=state)

    def _chunks(self) -> Iterator[Chunk]:
        for _, cached in self._parts.values():
            yield cached
        for reader in self._segments.values():
            yield from reader.chunks

    def _records(self) -> tuple[Mapping[str, Any], ...]:
        footers = [chunk.footer for chunk, _ in self._parts.values()]
        sealed = [record for footer in footers if footer for record in footer.events]
        return (*sealed, *(r for reader in self._segments.values() for r in reader.events))

    def _known_metadata(self) -> Mapping[str, Any]:
        if self._metadata is not None:
            return self._metadata
        for chunk, _ in self._parts.values():
            if chunk.footer:
                return chunk.footer.metadata
        return {"run_id": next((r.run_id for r in self.readers if r.run_id), None)}

    def _notes(self) -> Iterator[str]:
        for rows, reason in self._damaged.items():
            if rows[0] not in self._segments:
                yield f"{reason}; rows {rows[0]} to {rows[1]} are missing"
        if self._metadata is None:
            yield f"{self._folder / RUN_JSON}: missing or damaged; the run's settings may be unknown"
        for reader, following in zip(self.readers, self.readers[1:], strict=False):
            if following.first_row > reader.next_row:
                yield f"{reader.path}: damaged from row {reader.next_row} on"
        if unknown := sum(reader.unknown for reader in self.readers):
            yield f"{unknown} records of an unknown kind were skipped; written by a newer version?"
        yield from newer(self._known_metadata())

    def _state(self, run: Run, records: Sequence[Mapping[str, Any]]) -> State:
        iterations, times = run.column("iteration").values, run.column("time").values
        # A row or an event after the end record means that the run was taken up again.
        if records and records[-1]["kind"] == "end" and records[-1]["row"] >= self.next_row:
            name, reason = ended_state(records[-1], tuple(records[:-1]))
        else:
            started = records[-1]["time"] if records else self._made()
            name, reason = live_state(
                life=self._life, times=times, started=started, now=self._clock()
            )
        return state_of(name, reason, iterations, times)

    def _made(self) -> float | None:
        try:
            return (self._folder / RUN_JSON).stat().st_mtime
        except OSError:
            return None
