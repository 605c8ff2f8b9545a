"""TensorBoard's event files while they grow: one file, or those of a folder."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from runlog.errors import UserError
from runlog.importers.follow import PIECE
from runlog.importers.pairs import checked
from runlog.importers.reading import RECENT, Reading
from runlog.importers.tensorboard import EventLog, event_files
from runlog.run import Run, State


class FollowedEvents:
    """`run` is what the files say so far; `poll` looks for more of them, and for more in them."""

    def __init__(
        self,
        path: Path,
        *,
        mapping: Mapping[str, str] | None,
        from_format: str | None,
        attempt: int | None = None,
    ) -> None:
        self._path = path
        self._log = EventLog(checked(mapping), from_format)
        self._reading = Reading(
            str(path),
            mapping=mapping,
            from_format=from_format,
            attempt=attempt,
            parser=self._log,
        )
        self._offsets: dict[Path, int] = {}
        self._seen: tuple[object, ...] | None = None
        state = State(
            name="running",
            last_iteration=None,
            last_row_time=None,
            reason="event files; no row yet",
        )
        self.run = Run(chunks=(), state=state)
        self.poll()

    def poll(self) -> Run | None:
        """The run if anything changed since the last poll, else None."""
        written = max(map(self._look, self._files()), default=0.0)
        age = max(0.0, time.time() - written)
        seen = (age < RECENT, self._log.met)
        if seen == self._seen:
            return None
        self._seen = seen
        run = self._reading.run(age=age, ended=False)
        if run is not None:
            self.run = run
        return run

    def _look(self, path: Path) -> float:
        """Read what a file has more; when it was written, Unix seconds."""
        try:
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                for piece in iter(lambda: file.read(PIECE), b""):
                    again = self._log.feed_file(path.name, piece)
                    if again is not None:
                        file.seek(again)
                        break
                self._offsets[path] = file.tell()
                return os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return 0.0
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}; cannot be read") from error

    def _files(self) -> tuple[Path, ...]:
        return event_files(self._path) if self._path.is_dir() else (self._path,)

    def read(self) -> Run:
        """What is there now. Raises UserError where that is no log."""
        if not len(self.run):
            raise self._reading.refusal()
        return self.run

    def close(self) -> None:
        """Nothing is held open."""
