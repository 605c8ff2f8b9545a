"""open_run and follow: whatever holds a run or a log, read once or followed."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from runlog.errors import UserError
from runlog.folder import PUBLISHED, is_run
from runlog.remote_address import is_remote
from runlog.report_zip import is_zip, run_parquet_in
from runlog.run import Run
from runlog.tail import Follower, Tail

if TYPE_CHECKING:
    from runlog.importers.follow_events import FollowedEvents

MAGIC = b"PAR1"
STANDARD_INPUT = "-"


class Still:
    """A run that cannot change any more, with the interface of one that is followed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def poll(self) -> Run | None:
        """Nothing is ever added."""
        return None

    def close(self) -> None:
        """Nothing is held open."""


def open_run(
    path: str | os.PathLike[str],
    *,
    attempt: int | None = None,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
) -> Run:
    """Read a run: its folder, a run.parquet, a bug report's zip, others' Parquet files and logs, `-`.

    `attempt`: the attempt to show, the newest unless given. `mapping`: a foreign column's name to
    ours. `from_format`: the foreign log's format where it is not to be recognised by content.
    Raises UserError, one line, for anything that cannot be read.
    """
    if os.fspath(path) == STANDARD_INPUT:
        return _read_log(sys.stdin.buffer.read(), "standard input", mapping, from_format, attempt)
    if is_remote(path):
        from runlog.remote import open_remote

        return open_remote(str(path), attempt=attempt, mapping=mapping, from_format=from_format)
    path = Path(path)
    try:
        path, ours = _log_of(path)
        if ours:
            return Tail(path, attempt=attempt).run
        if path.is_fifo():  # a shell's <(…) can be read once only
            return _read_log(path.read_bytes(), str(path), mapping, from_format, attempt)
        if path.is_file() and _is_parquet(path):
            from runlog.foreign import open_parquet_run

            return open_parquet_run(path, attempt=attempt, mapping=mapping)
        if path.is_file() and is_zip(path):
            from runlog.foreign import open_parquet_run

            data = run_parquet_in(path)
            return open_parquet_run(path, attempt=attempt, mapping=mapping, data=data)
        if (events := _events(path, mapping, from_format, attempt)) is not None:
            return events.read()
        age = max(0.0, time.time() - path.stat().st_mtime)
        return _read_log(path.read_bytes(), str(path), mapping, from_format, attempt, age)
    except OSError as error:
        raise _unreadable(path, error) from error


def follow(
    path: str | os.PathLike[str],
    *,
    attempt: int | None = None,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
) -> Follower:
    """Follow a run's folder, a growing log or `-`; what cannot grow is read once."""
    if os.fspath(path) == STANDARD_INPUT:
        return _follow_log(sys.stdin.buffer, mapping, from_format)
    if is_remote(path):
        from runlog.remote import follow_remote

        return follow_remote(str(path), attempt=attempt, mapping=mapping, from_format=from_format)
    path = Path(path)
    try:
        path, ours = _log_of(path)
        if ours:
            return Tail(path, attempt=attempt)
        if path.is_fifo():
            return _follow_log(path.open("rb"), mapping, from_format)
        if path.is_file() and (_is_parquet(path) or is_zip(path)):
            return Still(open_run(path, attempt=attempt, mapping=mapping))
        if (events := _events(path, mapping, from_format, attempt)) is not None:
            return events
    except OSError as error:
        raise _unreadable(path, error) from error
    return _follow_log(path, mapping, from_format)


def _log_of(path: Path) -> tuple[Path, bool]:
    """Where the log is, and whether it is a run folder of ours."""
    if not path.is_dir() or is_run(path):
        return path, path.is_dir()
    from runlog.importers.folders import foreign_log_in

    log = foreign_log_in(path)
    return (path, True) if log is None else (log, False)


def _events(
    path: Path,
    mapping: Mapping[str, str] | None,
    from_format: str | None,
    attempt: int | None,
) -> "FollowedEvents | None":
    from runlog.importers.folders import holds_events

    if not holds_events(path):
        return None
    from runlog.importers.follow_events import FollowedEvents

    return FollowedEvents(path, mapping=mapping, from_format=from_format, attempt=attempt)


def _unreadable(path: Path, error: OSError) -> UserError:
    if isinstance(error, FileNotFoundError):
        return UserError(f"{path}: no such file or folder")
    return UserError(f"{path}: cannot be read ({error.strerror or error})")


def _follow_log(
    source: Path | BinaryIO, mapping: Mapping[str, str] | None, from_format: str | None
) -> Follower:
    from runlog.importers import follow_log

    return follow_log(source, mapping=mapping, from_format=from_format)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        begins = file.read(len(MAGIC))
    return begins == MAGIC or path.suffix == Path(PUBLISHED).suffix


def _read_log(
    data: bytes,
    name: str,
    mapping: Mapping[str, str] | None,
    from_format: str | None,
    attempt: int | None,
    age: float | None = None,
) -> Run:
    if not data.strip():
        raise UserError(f"{name}: empty; there is nothing to read yet")
    from runlog.importers import read_log

    return read_log(
        data, name=name, mapping=mapping, from_format=from_format, attempt=attempt, age=age
    )
