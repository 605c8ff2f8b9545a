"""A foreign log that grows: a file reopened at each poll, or a pipe."""

import contextlib
import io
import os
import queue
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from runlog.errors import UserError
from runlog.importers.reading import RECENT, Reading
from runlog.run import Run, State

PIECE = 1 << 18
_HEAD = 4096
"""Bytes at the start of a file by which a rewritten one is told from a grown one."""


class _Source(Protocol):
    """Where the bytes come from."""

    ended: bool

    def new(self) -> list[bytes] | None:
        """Pieces that came since the last call; None when the log has begun anew."""

    def age(self) -> float:
        """Seconds since the last byte came."""

    def close(self) -> None: ...


class _File:
    """A file that something else writes. Opened at each poll: network filesystems need that."""

    def __init__(self, path: Path) -> None:
        self.ended = False
        self._path = path
        self._offset = 0
        self._head = b""
        self._written: float | None = None

    def new(self) -> list[bytes] | None:
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                self._written = status.st_mtime
                head = file.read(_HEAD)
                if status.st_size < self._offset or not head.startswith(self._head):
                    self._offset, self._head = 0, b""
                    return None
                self._head = head
                file.seek(self._offset)
                pieces = list(iter(lambda: file.read(PIECE), b""))
        except FileNotFoundError:
            return []  # a log being rotated comes back
        except OSError as error:
            raise UserError(f"{self._path}: {error.strerror}; cannot be read") from error
        self._offset += sum(map(len, pieces))
        return pieces

    def age(self) -> float:
        return 0.0 if self._written is None else max(0.0, time.time() - self._written)

    def close(self) -> None:
        self.ended = True


class _Pipe:
    """A stream read by a thread, so that a poll never waits.

    The descriptor is read directly: a daemon thread that holds the lock of a buffered reader
    stops the interpreter from ending. Nothing may have been read from the stream before.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.ended = False
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._last = time.monotonic()
        self._closed = threading.Event()
        threading.Thread(target=self._pump, args=(stream,), daemon=True, name="log-pipe").start()

    def _pump(self, stream: BinaryIO) -> None:
        descriptor: int | None = None
        with contextlib.suppress(OSError, AttributeError, io.UnsupportedOperation):
            descriptor = stream.fileno()
        try:
            while not self._closed.is_set():
                piece = stream.read(PIECE) if descriptor is None else os.read(descriptor, PIECE)
                if not piece:
                    break
                self._pieces.put(piece)
        except (OSError, ValueError):  # the terminal went away, the stream was closed
            pass
        finally:
            self._pieces.put(None)

    def new(self) -> list[bytes] | None:
        pieces: list[bytes] = []
        with contextlib.suppress(queue.Empty):
            while not self.ended:
                piece = self._pieces.get_nowait()
                if piece is None:
                    self.ended = True
                else:
                    pieces.append(piece)
        if pieces:
            self._last = time.monotonic()
        return pieces

    def age(self) -> float:
        return time.monotonic() - self._last

    def close(self) -> None:
        self._closed.set()


class FollowedLog:
    """A foreign log while it grows: `run` is what it says so far, `poll` looks for more."""

    def __init__(
        self, source: Path | BinaryIO, *, mapping: Mapping[str, str] | None, from_format: str | None
    ) -> None:
        self._name = str(source) if isinstance(source, Path) else "standard input"
        self._begin = partial(Reading, self._name, mapping=mapping, from_format=from_format)
        self._reading = self._begin()
        if isinstance(source, Path) and not source.exists():
            raise UserError(f"{source}: no such file")
        self._source: _Source = _File(source) if isinstance(source, Path) else _Pipe(source)
        self._done = False
        self._seen: tuple[object, ...] = ()
        self.run = self._empty()
        self.poll()

    @staticmethod
    def _empty() -> Run:
        state = State(
            name="running", last_iteration=None, last_row_time=None, reason="text log; no block yet"
        )
        return Run(chunks=(), state=state)

    def poll(self) -> Run | None:
        """The run if anything changed since the last poll, else None. Never waits.

        Raises UserError once, when the end has come and nothing read was a log.
        """
        if self._done:
            return None
        pieces = self._source.new()
        anew = pieces is None
        if pieces is None:
            self._reading = self._begin()
            pieces = self._source.new() or []
        for piece in pieces:
            self._reading.feed(piece)
        if self._source.ended:
            self._done = True
            self._reading.end()
        age = self._source.age()
        seen = (self._done, age < RECENT)
        if not pieces and not anew and seen == self._seen:
            return None
        self._seen = seen
        run = self._reading.run(age=age, ended=self._done)
        if run is None:
            if self._done:
                raise self._reading.refusal()
            if not anew:
                return None
            run = self._empty()
        self.run = run
        return run

    def close(self) -> None:
        """No more polls. A thread that waits for a silent pipe ends with the process."""
        self._done = True
        self._source.close()
