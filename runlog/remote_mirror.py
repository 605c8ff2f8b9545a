"""A copy of a remote run that grows with it: byte for byte the same files, fetched once each."""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runlog.folder import LOCK, PARTS, PUBLISHED, RUN_JSON, WAL, part_path, segment_path
from runlog.remote_connection import Connection
from runlog.remote_files import Found, Peek, Range, look, names, peek, whole
from runlog.remote_heart import RemoteHeart
from runlog.remote_parquet import RangedFile, RemoteChunk
from runlog.remote_shelf import Shelf
from runlog.remote_words import WordsMirror

if TYPE_CHECKING:
    from asyncssh import SFTPClient

WHOLE = 5 * 2**20
"""Bytes; a larger run.parquet is fetched by the ranges its columns need."""
BOOT_ID = "/proc/sys/kernel/random/boot_id"
HOST_NAME = "/proc/sys/kernel/hostname"
AT_ONCE = 8
"""Parts on their way together."""
_SETTLED_SECONDS = 2.5
"""A folder's time counts whole seconds: it is listed once more when that second is surely over."""


class Listing:
    """The names in a remote folder, listed only when its time says that they have changed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mtime: int | None = None
        self._since = 0.0
        self._settled = False
        self.names: Mapping[str, Found] = {}

    async def update(self, sftp: "SFTPClient", now: Found | None) -> None:
        """List the folder if it may have changed."""
        if now is None:
            return
        if now.mtime != self._mtime:
            since = time.monotonic()
            await self.list_now(sftp)
            self._mtime, self._since, self._settled = now.mtime, since, False
        elif not self._settled and time.monotonic() - self._since > _SETTLED_SECONDS:
            await self.list_now(sftp)
            self._settled = True

    async def list_now(self, sftp: "SFTPClient") -> None:
        """List the folder."""
        self.names = await names(sftp, self._path)


@dataclass
class Copied:
    """A file that grows, as far as it has been copied."""

    size: int = 0
    seen: Found | None = None


_NEVER = Copied()


class RunMirror:
    """A run's folder over there and its copy here."""

    def __init__(self, connection: Connection, path: str, shelf: Shelf) -> None:
        self._connection, self._remote, self._shelf = connection, path, shelf
        self.folder = shelf.path / (path.rstrip("/").rpartition("/")[2] or "run")
        for name in (WAL, PARTS):
            (self.folder / name).mkdir(parents=True)
        self.heart = RemoteHeart()
        self.replaced = False
        """Whether another run lies there now."""
        self._wal = Listing(f"{path}/{WAL}")
        self._parts = Listing(f"{path}/{PARTS}")
        self._copied: dict[int, Copied] = {}
        self._have: set[str] = set()
        self._settings: Found | None = None
        self._ranged: RangedFile | None = None
        self._sees_processes = False
        self._lock: Found | None = None
        self._owner: Mapping[str, Any] = {}
        self._words = WordsMirror(connection, path, self.folder)

    @property
    def published(self) -> bool:
        """Whether run.parquet is here; nothing changes after that."""
        return PUBLISHED in self._have

    def chunk(self, path: Path, successor: Path | None = None, start: int = 0) -> RemoteChunk:
        """The rows of a Parquet file of the copy."""
        ranged = self._ranged if path.name == PUBLISHED else None
        return RemoteChunk(path, successor, start, shelf=self._shelf, ranged=ranged)

    def update(self, valid: Mapping[int, int]) -> None:
        """Fetch what is new. `valid`: bytes of whole records in each open segment, by first row.

        Raises Cut; what had been fetched before is whole, and stays.
        """
        if not self.published:
            self._connection.call(lambda sftp: self._update(sftp, valid))

    async def _update(self, sftp: "SFTPClient", valid: Mapping[int, int]) -> None:
        # One round trip: the requests go out together, the writer's life first.
        process = self._process_path()
        at = self._at
        lock, there, settings, published, wal, parts, *grown = await asyncio.gather(
            look(sftp, at(LOCK)),
            look(sftp, process) if process else _nothing(),
            look(sftp, at(RUN_JSON)),
            look(sftp, at(PUBLISHED)),
            look(sftp, at(WAL)),
            look(sftp, at(PARTS)),
            *(self._grow(sftp, first, size) for first, size in valid.items()),
        )
        del grown
        self._connection.heard()
        await asyncio.gather(
            self._take_settings(sftp, settings),
            self._take_life(sftp, lock, there),
            self._take_rows(sftp, published, wal, parts),
        )
        if not self.published and self.heart.look() != "alive":
            await self._words.update(sftp)

    def _at(self, name: str) -> str:
        return f"{self._remote}/{name}"

    def _process_path(self) -> str | None:
        pid = self._owner.get("pid")
        return f"/proc/{pid}" if self._sees_processes and isinstance(pid, int) else None

    async def _take_life(
        self, sftp: "SFTPClient", lock: Found | None, process: Found | None
    ) -> None:
        fresh = lock is not None and lock != self._lock
        # A beat changes the time alone; a writer that took the run up again has another process.
        if fresh and (not self._owner or self._lock is None or process is None):
            before = self._process_path()
            await self._take_owner(sftp)
            path = self._process_path()
            if path is not None and path != before:
                process = await look(sftp, path)
        self._lock = lock
        if lock is not None:
            (self.folder / LOCK).touch()
            os.utime(self.folder / LOCK, (lock.mtime, lock.mtime))
        asked = self._process_path() is not None
        self.heart.take(lock, process=process is not None if asked else None)

    async def _take_rows(
        self,
        sftp: "SFTPClient",
        published: Found | None,
        wal: Found | None,
        parts: Found | None,
    ) -> None:
        if published is not None:
            await self._publish(sftp, published)
            return
        await asyncio.gather(self._wal.update(sftp, wal), self._parts.update(sftp, parts))
        sealed, open_ = _sealed(self._parts.names), _segments(self._wal.names)
        if any(first > sealed for first in open_) and sealed not in open_:
            # A segment went after the parts were listed: its part has been there since before.
            await self._parts.list_now(sftp)
            sealed = _sealed(self._parts.names)
        fresh = [n for n in open_ if n >= sealed and self._copied.get(n, _NEVER).seen is None]
        await asyncio.gather(
            *(self._grow(sftp, first, 0) for first in fresh), self._take_parts(sftp)
        )

    async def _take_owner(self, sftp: "SFTPClient") -> None:
        owner, boot, host, first = await asyncio.gather(
            self._fetch(sftp, self._at(LOCK)),
            _small(sftp, BOOT_ID, self._connection),
            _small(sftp, HOST_NAME, self._connection),
            look(sftp, "/proc/1"),
        )
        try:
            found = json.loads(owner.pieces[0]) if owner else None
        except ValueError:
            found = None
        self._owner = found if isinstance(found, dict) else {}
        # In a container processes have other numbers; where others' are hidden, 1 is not seen.
        here = (self._owner.get("boot_id"), self._owner.get("host")) == (boot, host)
        self._sees_processes = bool(boot) and here and first is not None

    async def _take_settings(self, sftp: "SFTPClient", found: Found | None) -> None:
        if found is None or found == self._settings:
            return
        self.replaced = self._settings is not None
        if not self.replaced and (peeked := await self._fetch(sftp, self._at(RUN_JSON))):
            self._write(self.folder / RUN_JSON, peeked.pieces[0], found.mtime)
            self._settings = found

    async def _grow(self, sftp: "SFTPClient", first: int, valid: int) -> None:
        """Copy what a segment has more than its whole records here, which never change."""
        copied = self._copied.setdefault(first, Copied())
        path = segment_path(Path(), first)
        start = min(valid, copied.size)

        def wanted(found: Found) -> list[Range]:
            if found == copied.seen and start == copied.size:
                return []
            return [Range(start, max(0, found.size - start))]

        peeked = await peek(sftp, self._at(path.as_posix()), wanted, self._connection.heard)
        if peeked is None:
            return
        if peeked.pieces:
            if copied.seen is not None and peeked.found.size > copied.seen.size:
                self.heart.observe(peeked.found.mtime)
            with (self.folder / path).open("ab") as file:
                file.truncate(start)
                file.write(peeked.pieces[0])
            copied.size = start + len(peeked.pieces[0])
        copied.seen = peeked.found

    async def _take_parts(self, sftp: "SFTPClient") -> None:
        missing = [name for name in self._parts.names if _is_part(name) and name not in self._have]

        async def take(name: str) -> None:
            peeked = await self._fetch(sftp, self._at(f"{PARTS}/{name}"))
            if peeked is not None and len(peeked.pieces[0]) == peeked.found.size:
                self._write(self.folder / PARTS / name, peeked.pieces[0], peeked.found.mtime)
                self._have.add(name)

        for start in range(0, len(missing), AT_ONCE):
            await asyncio.gather(*map(take, sorted(missing)[start : start + AT_ONCE]))

    async def _publish(self, sftp: "SFTPClient", found: Found) -> None:
        path = self.folder / PUBLISHED
        if found.size > WHOLE:
            self._ranged = RangedFile(self._connection, self._at(PUBLISHED), path, found.size)
            await self._ranged.begin(sftp)
        else:
            peeked = await self._fetch(sftp, self._at(PUBLISHED))
            if peeked is None:
                return
            self._write(path, peeked.pieces[0], found.mtime)
        self._have.add(PUBLISHED)

    async def _fetch(self, sftp: "SFTPClient", path: str) -> Peek | None:
        return await whole(sftp, path, self._connection.heard)

    def _write(self, path: Path, data: bytes, mtime: int) -> None:
        """A file of the copy, there whole or not at all."""
        temporary = path.with_name(f".tmp-{path.stem}")
        temporary.write_bytes(data)
        os.utime(temporary, (mtime, mtime))
        temporary.replace(path)


async def _small(sftp: "SFTPClient", path: str, connection: Connection) -> str:
    """A line of /proc, whose size says nothing; empty where it cannot be read."""
    import asyncssh

    try:
        peeked = await peek(sftp, path, lambda _: [Range(0, 256)], connection.heard)
    except asyncssh.SFTPError:
        return ""
    return peeked.pieces[0].decode("utf-8", "replace").strip() if peeked else ""


async def _nothing() -> None:
    return None


def _segments(listed: Mapping[str, Found]) -> list[int]:
    stems = sorted(name[:-4] for name in listed if name.endswith(".wal"))
    return [int(stem) for stem in stems if stem.isdecimal()]


def _sealed(listed: Mapping[str, Found]) -> int:
    """How many rows the parts hold."""
    lasts = [name.removesuffix(".parquet").partition("-")[2] for name in listed if _is_part(name)]
    return max(map(int, lasts), default=-1) + 1


def _is_part(name: str) -> bool:
    first, _, last = name.removesuffix(".parquet").partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        return False
    return name == part_path(Path(), int(first), int(last)).name
