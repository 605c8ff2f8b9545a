"""ssh://: runs and logs on other machines, opened and followed as if they lay here."""

import asyncio
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, Literal

from runlog.errors import UserError
from runlog.folder import PUBLISHED, RUN_JSON, WAL
from runlog.remote_address import LOST, Address, address_of
from runlog.remote_connection import Connection, Cut, connection_to, patiently
from runlog.remote_files import Found, look, names
from runlog.remote_log import EventsMirror, LogMirror, Shelf, log_in
from runlog.remote_login import plain
from runlog.run import Run

if TYPE_CHECKING:
    from asyncssh import SFTPClient

    from runlog.tail import Follower

Kind = Literal["run", "folder", "file", "events"]
POLL_SECONDS = 0.45
"""Between two looks at what may still grow; asked sooner, a follower says that nothing is new."""
AT_ONCE = 32
"""Folders listed together."""
INSTALL = "reading over ssh needs asyncssh: pip install 'trpo-tui[ssh]'"


def connect(path: str, *, asking: bool = True) -> Kind:
    """Log in and say what lies at the address: a run, a file, a folder of event files or of runs.

    `asking`: whether the login may ask on the terminal. Raises UserError, one line, for all that
    keeps it from being read.
    """
    return _found(path, asking=asking)[2]


def notes_of(path: str) -> tuple[str, ...]:
    """What the user must know about the login behind an address, one sentence each."""
    return connection_to(address_of(path)).notes


def open_remote(
    path: str,
    *,
    attempt: int | None = None,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
) -> Run:
    """Read what lies at an address once, as `runlog.open_run` does."""
    address, connection, kind = _found(path)
    if kind == "run":
        return RemoteRun(address, connection, attempt=attempt).run
    from runlog.reader import open_run

    mirror = _mirror(kind, address, connection)
    with _spoken(address, mirror.path) as named:
        patiently(mirror.update)
        run = open_run(mirror.path, attempt=attempt, mapping=mapping, from_format=from_format)
        _keep(mirror.shelf, run)
        return named(run)


def follow_remote(
    path: str,
    *,
    attempt: int | None = None,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
) -> "Follower":
    """Follow what lies at an address, as `runlog.follow` does."""
    address, connection, kind = _found(path)
    if kind == "run":
        return RemoteRun(address, connection, attempt=attempt)
    mirror = _mirror(kind, address, connection)
    return RemoteLog(
        address, connection, mirror, attempt=attempt, mapping=mapping, from_format=from_format
    )


def find_remote_runs(path: str) -> tuple[str, ...]:
    """Addresses of the runs at or below an address, in order; a run's own folders are not searched."""
    address, connection = _reached(path, asking=True)
    with _spoken(address):
        found = patiently(lambda: connection.call(lambda s: _walk(s, address.path, connection)))
    return tuple(str(replace(address, path=normpath(folder))) for folder in sorted(found))


class _Followed:
    """What all followers of another machine's files share: when to look, what a cut line means."""

    def __init__(self, address: Address, connection: Connection, run: Run) -> None:
        self._address, self._connection, self._known = address, connection, run
        self._looked = time.monotonic()
        self._cut: Cut | None = None

    @property
    def run(self) -> Run:
        """The run as of the last look."""
        if self._cut is None:
            return self._known
        note = f"{LOST}, retrying in {self._cut.seconds:.0f} s"
        return replace(self._known, notes=(*self._known.notes, note))

    def poll(self) -> Run | None:
        """The run if anything about it, or about the line, has changed; else None."""
        if time.monotonic() - self._looked < POLL_SECONDS:
            return None
        self._looked = time.monotonic()
        try:
            fresh = self._advance()
        except Cut as cut:
            if self._cut is not None and not cut.fresh:
                return None
            self._cut = cut
            return self.run
        if fresh is None and self._cut is None:
            return None
        self._known, self._cut = fresh or self._known, None
        return self._known

    def _advance(self) -> Run | None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held open but the connection, which others share; the copy goes with it."""


class RemoteRun(_Followed):
    """A run's folder on another machine, followed through its copy."""

    def __init__(
        self, address: Address, connection: Connection, *, attempt: int | None = None
    ) -> None:
        self._attempt = attempt
        super().__init__(address, connection, self._begin(address, connection))

    def _begin(self, address: Address, connection: Connection) -> Run:
        from runlog.remote_mirror import RunMirror
        from runlog.tail import Tail

        self._mirror = mirror = RunMirror(connection, address.path, Shelf())
        with _spoken(address, mirror.folder) as named:
            patiently(lambda: mirror.update({}))
            self._tail = Tail(
                mirror.folder,
                attempt=self._attempt,
                heart=mirror.heart,
                clock=mirror.heart.clock,
                open_part=mirror.chunk,
            )
            return named(self._tail.run)

    def _advance(self) -> Run | None:
        mirror, tail = self._mirror, self._tail
        with _spoken(self._address, mirror.folder) as named:
            mirror.update({reader.first_row: reader.size for reader in tail.readers})
            if mirror.replaced:
                return self._begin(self._address, self._connection)
            fresh = tail.poll()
            return None if fresh is None else named(fresh)


class RemoteLog(_Followed):
    """A log on another machine, followed through its copy; a table is read once."""

    def __init__(
        self,
        address: Address,
        connection: Connection,
        mirror: LogMirror | EventsMirror,
        *,
        attempt: int | None = None,
        mapping: Mapping[str, str] | None = None,
        from_format: str | None = None,
    ) -> None:
        from runlog.reader import follow

        self._mirror = mirror
        with _spoken(address, mirror.path) as named:
            patiently(mirror.update)
            self._copy = follow(
                mirror.path, attempt=attempt, mapping=mapping, from_format=from_format
            )
            _keep(mirror.shelf, self._copy.run)
            super().__init__(address, connection, named(self._copy.run))

    def _advance(self) -> Run | None:
        with _spoken(self._address, self._mirror.path) as named:
            self._mirror.update()
            fresh = self._copy.poll()
            return None if fresh is None else named(fresh)

    def close(self) -> None:
        self._copy.close()


def _mirror(kind: Kind, address: Address, connection: Connection) -> LogMirror | EventsMirror:
    if kind == "folder":
        raise UserError(f"{address}: no run here; give a run's folder, a run.parquet or a log")
    mirror = EventsMirror if kind == "events" else LogMirror
    return mirror(connection, address.path, Shelf())


def _keep(shelf: Shelf, run: Run) -> None:
    """Keep the copy as long as a chunk may read from it."""
    for chunk in run.chunks:
        weakref.finalize(chunk, id, shelf)


def _reached(path: str, *, asking: bool) -> tuple[Address, Connection]:
    address = address_of(path)
    try:
        import asyncssh  # noqa: F401  only whether it is there
    except ModuleNotFoundError as error:
        if error.name != "asyncssh":
            raise
        raise UserError(f"{path}: {INSTALL}") from None
    connection = connection_to(address)
    connection.open(asking=asking)
    return address, connection


def _found(path: str, *, asking: bool = True) -> tuple[Address, Connection, Kind]:
    """What lies at an address; the address is then that of the run, where it named its table."""
    address, connection = _reached(path, asking=asking)

    async def ask(sftp: "SFTPClient") -> tuple[Found | None, ...]:
        places = (address, address.below(RUN_JSON), address.below(PUBLISHED), address.below(WAL))
        beside = address.parent.below(RUN_JSON)
        return tuple(await asyncio.gather(*(look(sftp, p.path) for p in (*places, beside))))

    with _spoken(address):
        here, settings, published, wal, beside = patiently(lambda: connection.call(ask))
        if here is None:
            raise UserError(f"{address}: no such file or folder")
        if here.kind == "other":
            raise UserError(f"{address}: neither a file nor a folder")
        if here.kind == "file":
            if address.path.rpartition("/")[2] == PUBLISHED and beside is not None:
                return address.parent, connection, "run"
            return address, connection, "file"
        if settings or published or wal:
            return address, connection, "run"
        log = log_in(patiently(lambda: connection.call(lambda sftp: names(sftp, address.path))))
    if log is None or log == ".":
        return address, connection, "folder" if log is None else "events"
    return address.below(log), connection, "file"


@contextmanager
def _spoken(address: Address, copy: Path | None = None) -> Iterator[Callable[[Run], Run]]:
    """Say the address where the copy is meant, in errors and notes; SFTP's errors in one line."""
    from asyncssh import SFTPError

    def said(text: str) -> str:
        return text if copy is None else text.replace(str(copy), str(address))

    try:
        yield lambda run: replace(run, notes=tuple(map(said, run.notes)))
    except UserError as error:
        raise UserError(said(str(error))) from error
    except SFTPError as error:
        raise UserError(f"{address}: cannot be read ({plain(error)})") from error


async def _walk(sftp: "SFTPClient", top: str, connection: Connection) -> list[str]:
    import asyncssh

    async def listed(folder: str) -> Mapping[str, Found]:
        try:
            return await names(sftp, folder)
        except asyncssh.SFTPPermissionDenied:
            if folder == top:
                raise
            return {}
        finally:
            connection.heard()

    found: list[str] = []
    waiting = [top]
    while waiting:
        now, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        for folder, holds in zip(now, await asyncio.gather(*map(listed, now)), strict=True):
            if {RUN_JSON, PUBLISHED, WAL} & holds.keys():
                found.append(folder)
                continue
            waiting += [
                f"{folder.rstrip('/')}/{name}"
                for name, what in holds.items()
                if what.kind == "folder" and not name.startswith(".")
            ]
    return found
