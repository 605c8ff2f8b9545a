"""Where runs lie, here or on another machine: what is there, its name, its neighbours."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runlog.errors import UserError
from runlog.remote_address import address_of, is_remote
from runlog.run import Run

if TYPE_CHECKING:
    from runlog.tail import Follower


def is_folder_of_runs(path: str) -> bool:
    """Whether a folder lies there that is no run or log itself; logs in on another machine, if it must."""
    if is_remote(path):
        return _reached(path) == "folder"
    from runlog.folder import is_run

    place = Path(path)
    if not place.is_dir() or is_run(place):
        return False
    from runlog.importers.folders import foreign_log_in

    return foreign_log_in(place) is None


def runs_below(path: str) -> tuple[str, ...]:
    """All runs at or below a folder, in order of name; where there are none, others' logs."""
    if is_remote(path):
        from runlog.remote import find_remote_runs

        return find_remote_runs(path)
    from runlog.folder import find_runs
    from runlog.importers.folders import foreign_logs_below

    return tuple(map(str, find_runs(path) or foreign_logs_below(Path(path))))


def _reached(path: str) -> str:
    from runlog.remote import connect, notes_of

    kind = connect(path)
    for note in notes_of(path):
        print(f"trpo-tui: {note}", file=sys.stderr)  # noqa: T201
    return kind


def parent_of(path: str) -> str:
    """The folder that holds it."""
    return str(address_of(path).parent) if is_remote(path) else str(Path(path).parent)


def name_of(path: str, folder: str | None = None) -> str:
    """What to call a run: its path below the folder, or its own name."""
    if is_remote(path):
        below = str(address_of(path)).removeprefix(str(address_of(folder))) if folder else ""
        return below.strip("/") or path.rstrip("/").rpartition("/")[2]
    if folder is not None and Path(path) != Path(folder):
        with suppress(ValueError):
            return str(Path(path).relative_to(folder))
    return Path(path).resolve().name


Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of the last change in nanoseconds and size of everything in a run's folder."""


def stamp_of(path: str) -> Stamp | None:
    """What changes when a run does; None where that cannot be told."""
    if is_remote(path):
        return None
    place = Path(path)
    try:
        files = [place] if place.is_file() else [place, *place.rglob("*")]
        return tuple((str(f), (at := f.stat()).st_mtime_ns, at.st_size) for f in sorted(files))
    except OSError:
        return None


class Readings:
    """Reads runs again and again. One on another machine is followed: only what is new comes."""

    def __init__(self) -> None:
        self._followed: dict[str, Follower] = {}

    def read(self, path: str) -> Run:
        """The run as it is now; raises UserError."""
        if not is_remote(path):
            from runlog.reader import open_run

            return open_run(path)
        from runlog.remote import follow_remote

        source = self._followed.get(path)
        if source is None:
            source = self._followed[path] = follow_remote(path)
            return source.run
        try:
            return source.poll() or source.run
        except UserError:
            del self._followed[path]
            raise
