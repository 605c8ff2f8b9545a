"""What was printed beside a run on another machine, copied once its writer is gone."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from posixpath import join, normpath
from typing import TYPE_CHECKING

from runlog.folder import RUN_JSON
from runlog.last_words import NAMES, TAIL_BYTES
from runlog.remote_connection import Connection
from runlog.remote_files import Found, Range, look, names, read_ranges

if TYPE_CHECKING:
    from asyncssh import SFTPClient

AGAIN_SECONDS = 10.0
MOST_FILES = 8
"""The newest: older ones were written before the run ended."""
MOST_RUNS = 64
"""Neighbours that are looked at, to tell whether a file beside the run is another run's."""


class WordsMirror:
    """The ends of the logs in a run's folder and next to it, and copies of them here."""

    def __init__(self, connection: Connection, path: str, folder: Path) -> None:
        self._connection, self._folder = connection, folder
        self._places = {normpath(join(path, "..")): folder.parent, path: folder}
        self._seen: dict[Path, Found] = {}
        self._looked = -AGAIN_SECONDS

    async def update(self, sftp: "SFTPClient") -> None:
        """Copy what is new; the places are not looked at more often than every ten seconds."""
        if time.monotonic() - self._looked < AGAIN_SECONDS:
            return
        listed = await asyncio.gather(*(names(sftp, place) for place in self._places))
        self._connection.heard()
        found = [
            (what, f"{place}/{name}", here / name)
            for (place, here), holds in zip(self._places.items(), listed, strict=True)
            for name, what in _logs(holds)
        ]
        found.sort(key=lambda one: one[0].mtime)
        await asyncio.gather(
            *(self._copy(sftp, *one) for one in found[-MOST_FILES:]),
            *(self._neighbour(sftp, name) for name in _folders(listed[0])[:MOST_RUNS]),
        )
        self._looked = time.monotonic()

    async def _copy(self, sftp: "SFTPClient", found: Found, path: str, here: Path) -> None:
        if self._seen.get(here) == found:
            return
        start = max(0, found.size - TAIL_BYTES)
        pieces = await read_ranges(sftp, path, [Range(start, TAIL_BYTES)], self._connection.heard)
        if pieces is not None:
            with here.open("wb") as file:
                file.truncate(start)
                file.seek(start)
                file.write(pieces[0])
            os.utime(here, (found.mtime, found.mtime))
            self._seen[here] = found

    async def _neighbour(self, sftp: "SFTPClient", name: str) -> None:
        here = self._folder.parent / name
        if name == self._folder.name or here.exists():
            return
        if await look(sftp, f"{next(iter(self._places))}/{name}/{RUN_JSON}") is not None:
            here.mkdir()
            (here / RUN_JSON).touch()


def _logs(listed: Mapping[str, Found]) -> Iterator[tuple[str, Found]]:
    for name, what in listed.items():
        if what.kind == "file" and any(fnmatch(name, pattern) for pattern in NAMES):
            yield name, what


def _folders(listed: Mapping[str, Found]) -> list[str]:
    return sorted(n for n, what in listed.items() if what.kind == "folder" and n[0] != ".")
