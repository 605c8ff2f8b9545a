"""The disk side of a run log: lock, segments, sealing; trouble with the disk stays in here."""

import errno
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from runlog import folder as files
from runlog import records
from runlog.attempts import attempts
from runlog.errors import UserError
from runlog.lock import BEAT_SECONDS, Lock
from runlog.metadata import changes, describe
from runlog.publish import publish, seal
from runlog.records import EndState
from runlog.run import Run
from runlog.schema import BY_NAME, Type
from runlog.tail import Tail
from runlog.wal import OpenSegment
from runlog.worker import Worker

SEGMENT_ROWS = 1024
SEGMENT_BYTES = 8 * 2**20
"""A segment that has reached either is sealed; never by time."""
RETRY_SECONDS = 30.0
"""After a seal that failed, how long until the next try."""
BREATH_SECONDS = 0.0003
"""How long the worker lets the training run between two slices of a seal."""
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_logger = logging.getLogger("runlog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was logged before: the last attempt, its last iteration, undeclared columns' types."""

    attempt: int = 1
    last_iteration: int | None = None
    extras: Mapping[str, Type] = field(default_factory=dict)


class Journal:
    """Appends records to a run's folder; `given` is what the caller says of the run.

    Opening raises UserError where the run has ended, is being written or may not be written, and
    goes on without a disk that is full or failing, as every append does: what could not be
    written is counted, said once, and recorded as an event as soon as that is possible.
    """

    def __init__(self, folder: Path, given: Mapping[str, Any]) -> None:
        self.folder = folder
        self.metadata: Mapping[str, Any] = describe(given)
        self.past = Past()
        self.rows = 0
        """Rows appended so far, over all attempts: the number of the next."""
        self.dropped = 0
        """Records that could not be written."""
        self.mutex = threading.RLock()  # a signal handler may log in the middle of a row
        self._waiting: list[Callable[[], object]] = []
        self._appending = False
        self._given = given
        self._lock: Lock | None = None
        self._segment: OpenSegment | None = None
        self._full: list[OpenSegment] = []
        self._damage: tuple[str, ...] = ()
        self._dirty = self._troubled = self._gone = False
        self._unreported = 0
        self._beaten, self._retry = time.monotonic(), 0.0
        try:
            self._open()
        except OSError as error:
            self._release()
            if error.errno not in _DISK:
                raise UserError(
                    f"{folder}: a run cannot be written here ({error.strerror or error}); "
                    "choose a folder you may write to"
                ) from error
            self._lose(error)
        except BaseException:
            self._release()
            raise
        self._worker = Worker(self._keep_house)

    def row(self, values: str) -> None:
        """Append one row, a JSON object."""
        self._in_turn(partial(self._row, values))

    def event(self, kind: str, text: str) -> None:
        """Append an event; it is made to last at once."""
        self._in_turn(lambda: self._append(self._event(kind, text), self.rows))
        self._worker.wake()

    def close(self, state: EndState, reason: str | None) -> None:
        """Append the end record, seal what is open and, if finished, publish."""
        with self.mutex:
            if self._segment is not None:
                end = records.end(row=self.rows, time=time.time(), state=state, reason=reason)
                self._in_turn(lambda: self._append(records.frame(end), self.rows))
        self._worker.stop()
        try:
            self._finish(state)
        finally:
            self._release()

    def _in_turn(self, append: Callable[[], object]) -> None:
        """Do it now, or after the append that a signal handler has interrupted to do this."""
        with self.mutex:
            self._waiting.append(append)
            if self._appending:
                return
            self._appending = True
            try:
                while self._waiting:
                    following = self._waiting.pop(0)
                    if self._ready():
                        following()
            finally:
                self._appending = False

    def _row(self, values: str) -> None:
        number = self.rows
        self.rows += 1  # before the write, which a Ctrl-C may follow at once
        if self._append(records.frame_row(row=number, values=values), number):
            self._rotate()
        else:
            self.rows = number

    def _open(self) -> None:
        """Take the lock, take up the run that is there or begin one, open a segment.

        Tried again at the next append if the disk does not allow it now.
        """
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / files.PUBLISHED).exists():
            raise UserError(
                f"{folder}: this run has ended ({files.PUBLISHED} is there); choose another folder"
            )
        if self._lock is None:
            self._lock = Lock(folder)
            if self._lock.warning:
                _logger.warning("%s: %s", folder, self._lock.warning)
        for leftover in files.temporaries(folder):
            leftover.unlink(missing_ok=True)
        resumed = files.is_run(folder)
        first_row = self._take_up(Tail(folder)) if resumed else 0
        (folder / files.PARTS).mkdir(exist_ok=True)
        (folder / files.WAL).mkdir(exist_ok=True)
        known = files.read_metadata(folder)
        if known is None:
            files.write_new(folder / files.RUN_JSON, json.dumps(self.metadata).encode())
        path = files.segment_path(folder, first_row)
        self._segment = OpenSegment(path, run_id=self.metadata["run_id"], first_row=first_row)
        files.sync_folder(path.parent)
        if resumed:
            changed = changes(known or {}, self._given)
            text = "; ".join((f"process {os.getpid()}", *changed, *self._damage))
            self._append(self._event("resumed", text), self.rows)

    def _take_up(self, tail: Tail) -> int:
        """Continue a run: returns the first row of the segment to append to."""
        everything = Run(chunks=tail.run.chunks)
        iterations = everything.column("iteration").values
        last = tail.run.state.last_iteration
        self.rows = tail.next_row
        self.metadata = {**self.metadata, **tail.run.metadata}
        self.past = Past(
            attempt=int(attempts(iterations)[-1]) if len(iterations) else 1,
            last_iteration=last,
            extras={n: type_ for n, type_ in everything.types.items() if n not in BY_NAME},
        )
        self._damage = tuple(reader.damage for reader in tail.readers if reader.damage)
        for reader in tail.readers[:-1]:
            seal(self.folder, reader.first_row)
        if not tail.readers:
            return self.rows
        reader = tail.readers[-1]
        os.truncate(reader.path, reader.size)
        return reader.first_row

    def _event(self, kind: str, text: str, *, row: int | None = None) -> bytes:
        row = self.rows if row is None else row
        return records.frame(records.event(row=row, time=time.time(), event=kind, text=text))

    def _ready(self) -> bool:
        """Whether there is a segment to append to; opens one if the disk now allows it."""
        if self._gone:
            self.dropped += 1
        elif self._segment is None:
            try:
                self._open()
            except (OSError, UserError) as error:
                self._lose(error)
        return self._segment is not None

    def _append(self, line: bytes, row: int) -> bool:
        """Append a framed record that stands at or before a row; False if the disk is in the way."""
        segment = self._segment
        if segment is None:
            return False
        try:
            if self._unreported:
                lost = f"{self._unreported} records could not be written before this"
                segment.append(self._event("dropped", lost, row=row) + line)
                self._unreported = 0
            else:
                segment.append(line)
        except OSError as error:
            self._lose(error)
            return False
        self._dirty = True
        return True

    def _lose(self, error: Exception) -> None:
        if not self._unreported:
            _logger.warning(
                "%s: the log cannot be written (%s); training goes on, rows are dropped until "
                "it can",
                self.folder,
                error,
            )
        self.dropped += 1
        self._unreported += 1

    def _rotate(self) -> None:
        """Begin the next segment if this one is full; the worker seals the full one."""
        full = self._segment
        if full is None:
            return
        if self.rows - full.first_row < SEGMENT_ROWS and full.size < SEGMENT_BYTES:
            return
        path = files.segment_path(self.folder, self.rows)
        try:
            self._segment = OpenSegment(path, run_id=self.metadata["run_id"], first_row=self.rows)
        except OSError:
            return  # no room for another: this one grows on, and the next row tries again
        self._full.append(full)
        self._worker.wake()

    def _keep_house(self) -> None:
        """In the worker thread: make appends last, touch the lock, seal full segments."""
        try:
            with self.mutex:
                segment, dirty = self._segment, self._dirty
                self._dirty = False
            if segment is not None and not segment.is_there():
                self._give_up()
            if self._gone:
                return
            if dirty and segment is not None:
                segment.sync()
            now = time.monotonic()
            if self._lock is not None and now - self._beaten >= BEAT_SECONDS:
                self._beaten = now
                self._lock.beat()
            if self._full and now >= self._retry:
                self._retry = now + RETRY_SECONDS
                self._seal_full(lambda: time.sleep(BREATH_SECONDS))
                self._retry = 0.0
            self._troubled = False
        except OSError as error:
            if not self._troubled:
                _logger.warning("%s: %s; nothing is lost yet, trying again", self.folder, error)
            self._dirty = self._troubled = True

    def _give_up(self) -> None:
        """The folder was removed: made again, it would hold a run that begins in its middle."""
        _logger.warning(
            "%s: the run's files were removed or moved while it was written; training goes on, "
            "nothing more is logged",
            self.folder,
        )
        with self.mutex:
            for segment in (*self._full, self._segment):
                if segment is not None:
                    segment.close()
            self._gone, self._segment = True, None
            self._full.clear()

    def _seal_full(self, breathe: Callable[[], None] = lambda: None) -> None:
        while self._full:
            segment = self._full[0]
            segment.sync()
            seal(self.folder, segment.first_row, breathe=breathe)
            segment.close()
            self._full.pop(0)

    def _finish(self, state: EndState) -> None:
        segment = self._segment
        if segment is None:
            if not self._gone:
                _logger.warning("%s: nothing could be written", self.folder)
            return
        try:
            segment.sync()
            self._seal_full()
            seal(self.folder, segment.first_row)
            if state == "finished":
                publish(self.folder)
        except (OSError, UserError) as error:
            _logger.warning(
                "%s: the log could not be closed in order (%s); what was appended is there, "
                "`trpo-tui finalize` makes the rest",
                self.folder,
                error,
            )
        finally:
            segment.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
