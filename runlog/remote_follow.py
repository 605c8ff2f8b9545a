"""Runs and logs on other machines while they grow: their copies are brought up to date and read."""

import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from runlog.errors import UserError
from runlog.remote_address import LOST, Address
from runlog.remote_connection import Connection, Cut, patiently
from runlog.remote_log import EventsMirror, LogMirror
from runlog.remote_login import plain
from runlog.remote_shelf import Shelf
from runlog.run import Run

POLL_SECONDS = 0.45
"""Between two looks at what may still grow; asked sooner, a follower says that nothing is new."""


class Followed:
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


class RemoteRun(Followed):
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
        with spoken(address, mirror.folder) as named:
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
        with spoken(self._address, mirror.folder) as named:
            mirror.update({reader.first_row: reader.size for reader in tail.readers})
            if mirror.replaced:
                return self._begin(self._address, self._connection)
            fresh = tail.poll()
            return None if fresh is None else named(fresh)


class RemoteLog(Followed):
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
        with spoken(address, mirror.path) as named:
            patiently(mirror.update)
            self._copy = follow(
                mirror.path, attempt=attempt, mapping=mapping, from_format=from_format
            )
            keep(mirror.shelf, self._copy.run)
            super().__init__(address, connection, named(self._copy.run))

    def _advance(self) -> Run | None:
        with spoken(self._address, self._mirror.path) as named:
            self._mirror.update()
            fresh = self._copy.poll()
            return None if fresh is None else named(fresh)

    def close(self) -> None:
        self._copy.close()


def keep(shelf: Shelf, run: Run) -> None:
    """Keep the copy as long as a chunk may read from it."""
    for chunk in run.chunks:
        weakref.finalize(chunk, id, shelf)


@contextmanager
def spoken(address: Address, copy: Path | None = None) -> Iterator[Callable[[Run], Run]]:
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
