"""The files of a run: their names, how they are listed, how they are made to last."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RUN_JSON = "run.json"
PUBLISHED = "run.parquet"
LOCK = ".lock"
WAL = "wal"
PARTS = "parts"
TEMPORARY = ".tmp-"

_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have no fdatasync


def segment_path(folder: Path, first_row: int) -> Path:
    """The write-ahead segment whose first row is `first_row`."""
    return folder / WAL / f"{first_row:012d}.wal"


def part_path(folder: Path, first_row: int, last_row: int) -> Path:
    """The immutable part that holds rows `first_row` to `last_row`, both included."""
    return folder / PARTS / f"{first_row:012d}-{last_row:012d}.parquet"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def segments(folder: Path) -> tuple[int, ...]:
    """First rows of the write-ahead segments, ascending."""
    stems = (name[:-4] for name in _names(folder / WAL) if name.endswith(".wal"))
    return tuple(int(stem) for stem in stems if stem.isdecimal())


def parts(folder: Path) -> tuple[tuple[int, int], ...]:
    """First and last row of every sealed part, ascending."""
    found: list[tuple[int, int]] = []
    for name in _names(folder / PARTS):
        first, _, last = name.removesuffix(".parquet").partition("-")
        if name.endswith(".parquet") and first.isdecimal() and last.isdecimal():
            found.append((int(first), int(last)))
    return tuple(found)


def temporaries(folder: Path) -> tuple[Path, ...]:
    """What a writer that was killed left half written."""
    places = (folder, folder / PARTS)
    return tuple(
        place / name for place in places for name in _names(place) if name.startswith(TEMPORARY)
    )


def read_metadata(folder: Path) -> dict[str, Any] | None:
    """The contents of run.json; None where it is missing or damaged."""
    try:
        metadata = json.loads((folder / RUN_JSON).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return metadata if isinstance(metadata, dict) else None


def sync_data(descriptor: int) -> None:
    """Make the bytes of an open file last."""
    _sync_data(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last, where the system can (Windows cannot)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it: one write, and more only if the system cut that short."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


def write_new(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all: temporary name, fsync, rename, fsync."""
    temporary = path.with_name(TEMPORARY + path.stem)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def is_run(path: str | os.PathLike[str]) -> bool:
    """Whether the path is a run's folder or a run.parquet."""
    path = Path(path)
    try:
        if path.name == PUBLISHED and path.is_file():
            return True
        return any((path / name).is_file() for name in (RUN_JSON, PUBLISHED)) or bool(
            segments(path)
        )
    except PermissionError:
        return False


def _walk(folder: Path) -> Iterator[Path]:
    for place, below, _ in os.walk(folder):
        if is_run(place):
            yield Path(place)
            below.clear()
        else:
            below[:] = sorted(name for name in below if not name.startswith("."))


def find_runs(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Folders of runs at or below a folder, in order of name; a run's own folders are not searched."""
    return tuple(_walk(Path(folder)))
