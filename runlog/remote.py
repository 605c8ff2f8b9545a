"""ssh://: runs and logs on other machines, opened and followed as if they lay here."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from posixpath import normpath
from typing import TYPE_CHECKING, Literal

from runlog.errors import UserError
from runlog.folder import PUBLISHED, RUN_JSON, WAL
from runlog.remote_address import Address, address_of
from runlog.remote_connection import Connection, connection_to, patiently
from runlog.remote_files import Found, look, names
from runlog.remote_follow import RemoteLog, RemoteRun, keep, spoken
from runlog.remote_log import EventsMirror, LogMirror, log_in
from runlog.remote_shelf import Shelf
from runlog.run import Run

if TYPE_CHECKING:
    from asyncssh import SFTPClient

    from runlog.tail import Follower

Kind = Literal["run", "folder", "file", "events"]
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
    with spoken(address, mirror.path) as named:
        patiently(mirror.update)
        run = open_run(mirror.path, attempt=attempt, mapping=mapping, from_format=from_format)
        keep(mirror.shelf, run)
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
    with spoken(address):
        found = patiently(lambda: connection.call(lambda s: _walk(s, address.path, connection)))
    return tuple(str(replace(address, path=normpath(folder))) for folder in sorted(found))


def _mirror(kind: Kind, address: Address, connection: Connection) -> LogMirror | EventsMirror:
    if kind == "folder":
        raise UserError(f"{address}: no run here; give a run's folder, a run.parquet or a log")
    mirror = EventsMirror if kind == "events" else LogMirror
    return mirror(connection, address.path, Shelf())


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

    with spoken(address):
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
