"""A run that is followed: every poll takes what was added, exactly once and in order."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from runlog.assemble import assemble, published_run
from runlog.chunk import ParquetChunk
from runlog.contents import Contents
from runlog.errors import UserError
from runlog.folder import PUBLISHED, RUN_JSON, WAL
from runlog.last_words import LastWords, last_words
from runlog.lock import Heart, Life
from runlog.run import Run, State
from runlog.state import ENDED, ended_state, explained, is_by_signal, live_state, state_of
from runlog.wal import SegmentReader

LIFE_SECONDS = 2.0
"""How often a poll looks whether the writer lives."""
WHOLE_SECONDS = 1.0
"""How often a poll looks at everything although no file it stamps has changed."""
WORDS_SECONDS = 10.0
"""How often the logs beside a run whose writer left no word are looked through."""


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
    that a file replaced or removed meanwhile is noticed: a folder that was moved away is shown as
    it was until it is back, another run in its place is followed from its first row. Raises
    UserError where no run is. `heart`, `clock` and `open_part` are for a copy of another machine's
    run: how its writer's life is told, what time it is there (Unix seconds), how a Parquet file is
    read.
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
        self._stamped: object = None
        self._whole = 0.0
        self._begin()
        run = self._read()
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
        return self._contents.next_row

    @property
    def readers(self) -> tuple[SegmentReader, ...]:
        """The segments that no part has replaced yet, in order."""
        return self._contents.readers

    def poll(self) -> Run | None:
        """The run if anything about it has changed since the last poll, else None."""
        stamps, now = self._stamps(), time.monotonic()
        if stamps == self._stamped and now - self._whole < WHOLE_SECONDS:
            return None
        self._stamped, self._whole = stamps, now
        if self._is_another():
            self._begin()
        try:
            run = self._read(self._run) if self._folder.is_dir() else self._missing()
        except (UserError, FileNotFoundError):
            if self._folder.is_dir():
                raise
            run = self._missing()  # taken away in the middle of the poll
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

    def _begin(self) -> None:
        """Know nothing yet of what lies in the folder."""
        self._contents = Contents(self._folder, self._open_part)
        self._settings = _stamp(self._folder / RUN_JSON)
        self._published: object = None
        self._signature: object = None
        self._words: LastWords | None = None
        self._searched: tuple[object, float] | None = None
        self._stamped = None

    def _stamps(self) -> object:
        """What changes with every row and every new file: a look at them costs a fifth of a poll."""
        newest = (reader.path for reader in self.readers[-1:])
        return tuple(_stamp(path) for path in (self._folder, self._folder / WAL, *newest))

    def _is_another(self) -> bool:
        """Whether another run lies in the folder than the one that was read."""
        settings = _stamp(self._folder / RUN_JSON)
        if self._published:
            published = _stamp(self._folder / PUBLISHED)
            if published is not None:
                return published != self._published
        elif self._settings is None:
            self._settings = settings  # the writer has only now begun
        return settings is not None and settings != self._settings

    def _missing(self) -> Run | None:
        """The run when its folder is not there: as it was read."""
        if self._run.state.name in ENDED:
            return None
        reason = "The run's folder is not there any more; what was read of it is shown."
        return replace(self._run, state=replace(self._run.state, name="lost", reason=reason))

    def _read(self, before: Run | None = None) -> Run | None:
        """The run as it is now; None if it is as it was `before`, or not there at all."""
        if self._published:
            return None
        published = self._folder / PUBLISHED
        stamp = _stamp(published)
        if stamp is None:
            # The life is looked at before the files: what a writer that is gone wrote is then there.
            self._look()
            self._contents.advance()
            stamp = _stamp(published)
        if stamp is not None:
            run = published_run(self._open_part(published), attempt=self._attempt)
            self._published = stamp
            return run
        contents = self._contents
        if not contents.known:
            return None
        records = contents.records
        if before is None or contents.signature != self._signature:
            self._signature = contents.signature
            run = assemble(
                contents.chunks,
                metadata=contents.metadata,
                records=records,
                attempt=self._attempt,
                notes=tuple(contents.notes()),
            )
            return replace(run, state=self._state(run, records))
        state = self._state(before, records)
        return None if state == before.state else replace(before, state=state)

    def _look(self) -> None:
        now = time.monotonic()
        if self._looked is None or now - self._looked >= LIFE_SECONDS:
            self._life, self._looked = self._heart.look(), now

    def _state(self, run: Run, records: Sequence[Mapping[str, Any]]) -> State:
        iterations, times = run.column("iteration").values, run.column("time").values
        # A row or an event after the end record means that the run was taken up again.
        if records and records[-1]["kind"] == "end" and records[-1]["row"] >= self.next_row:
            last: float | None = records[-1]["time"]
            name, reason = ended_state(records[-1], tuple(records[:-1]))
            silent = name == "stopped" and is_by_signal(reason)
        else:
            last = records[-1]["time"] if records else self._made()
            name, reason = live_state(
                life=self._life, times=times, started=last, now=self._clock(), events=records
            )
            silent = name in ("killed", "lost")
        if silent:
            name, reason = explained(name, reason, self._last_words(times, last))
        return state_of(name, reason, iterations, times)

    def _last_words(self, times: NDArray[np.float64], recorded: float | None) -> LastWords | None:
        """What was printed when the process ended; looked for again while nothing is found."""
        now, key = time.monotonic(), (self._signature, self._life)
        before, searched = self._searched or (None, now)
        if before == key and (self._words is not None or now - searched < WORDS_SECONDS):
            return self._words
        self._searched = key, now
        known = [*times[~np.isnan(times)][-1:], *([] if recorded is None else [recorded])]
        since = max(known, default=None)
        job = self._contents.metadata.get("job_id")
        self._words = None if since is None else last_words(self._folder, since=since, job=job)
        return self._words

    def _made(self) -> float | None:
        try:
            return (self._folder / RUN_JSON).stat().st_mtime
        except OSError:
            return None


def _stamp(path: Path) -> object:
    """What tells a file from another of the same name; None where none is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
