"""A login on another machine: opened, used from any thread, opened again after a cut line."""

import atexit
import errno
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, TypeVar

from runlog.errors import UserError
from runlog.remote_address import Address
from runlog.remote_loop import Loop
from runlog.remote_way import Unreachable, Way

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
SILENT_SECONDS = 20.0
"""A request unanswered for so long means that the line is cut."""
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
PATIENCE_SECONDS = 60.0
"""Waited for altogether where nothing can be shown meanwhile."""
_LINE_ERRORS = (
    errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ENOTCONN, errno.ETIMEDOUT,
    errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH,
)  # fmt: skip


class Cut(Exception):  # noqa: N818  not an error of anybody's
    """The line is cut; `seconds` until it is worth another try."""

    def __init__(self, who: str, seconds: float, *, fresh: bool) -> None:
        super().__init__(f"{who}: connection lost, retrying in {seconds:.0f} s")
        self.who, self.seconds = who, seconds
        self.fresh = fresh
        """Whether another try has just failed, or only time has passed."""


class Connection:
    """One login and its SFTP session, shared by everything that reads from that host.

    Whoever calls waits; calls from several threads take turns. Nothing happens between calls.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.who = address.login
        self.closed = False
        self._lock = threading.RLock()
        self._loop = Loop()
        self._way = Way(address, self._loop)
        self._sftp: asyncssh.SFTPClient | None = None
        self._failures = 0
        self._again = 0.0
        self.heard = self._loop.heard

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user must know about this login, one sentence each."""
        return self._way.notes

    def open(self, *, asking: bool) -> None:
        """Log in. `asking`: whether questions may be put to the user. Raises UserError."""
        with self._lock:
            if self._sftp is None:
                try:
                    self._log_in(asking=asking)
                except Unreachable as error:
                    raise UserError(str(error)) from error

    def call(self, work: "Callable[[asyncssh.SFTPClient], Coroutine[Any, Any, T]]") -> T:
        """Do some work over SFTP; raises Cut when the line is, UserError when it stays so."""
        with self._lock:
            self._reopen()
            assert self._sftp is not None  # noqa: S101  what _reopen has just seen to
            from asyncssh import DisconnectError, SFTPConnectionLost, SFTPNoConnection

            try:
                return self._loop.run(work(self._sftp), SILENT_SECONDS)
            except (DisconnectError, SFTPConnectionLost, SFTPNoConnection, TimeoutError) as error:
                raise self._cut() from error
            except OSError as error:
                if error.errno in _LINE_ERRORS:
                    raise self._cut() from error
                raise UserError(
                    f"ssh://{self.who}: what is read cannot be kept in {gettempdir()} "
                    f"({error.strerror or error})"
                ) from error

    def close(self) -> None:
        """Log out; a call under way in another thread is not waited for, the end of the process
        ends it."""
        if self._lock.acquire(timeout=0.5):
            try:
                if not self.closed:
                    self.closed = True
                    self._hang_up()
                    self._loop.close()
            finally:
                self._lock.release()

    def _reopen(self) -> None:
        if self.closed:
            raise UserError(f"ssh://{self.who}: the connection has been closed")
        if self._sftp is not None:
            return
        if (seconds := self._again - time.monotonic()) > 0:
            raise Cut(self.who, seconds, fresh=False)
        try:
            self._log_in(asking=False)
        except Unreachable as error:
            raise self._cut() from error

    def _cut(self) -> Cut:
        self._hang_up()
        seconds = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1
        self._again = time.monotonic() + seconds
        return Cut(self.who, seconds, fresh=True)

    def _hang_up(self) -> None:
        self._sftp = None
        self._way.leave()

    def _log_in(self, *, asking: bool) -> None:
        self._sftp = self._way.go(asking=asking)
        self._failures = 0


def patiently(work: Callable[[], T]) -> T:
    """The result of some work, tried again while the line is cut, for about a minute."""
    waited = 0.0
    while True:
        try:
            return work()
        except Cut as cut:
            if waited > PATIENCE_SECONDS:
                raise UserError(f"{cut.who}: connection lost, and not to be had again") from cut
            waited += cut.seconds
            time.sleep(cut.seconds)


_OPEN: dict[str, Connection] = {}
_OPENING = threading.Lock()


def connection_to(address: Address) -> Connection:
    """The connection to an address's host, the same for all its paths; not yet opened."""
    with _OPENING:
        found = _OPEN.get(address.login)
        if found is None or found.closed:
            if not _OPEN:
                atexit.register(close_all)
                for name in ("asyncio", "asyncssh"):  # a cut line is told, not printed
                    logging.getLogger(name).addHandler(logging.NullHandler())
            found = _OPEN[address.login] = Connection(address)
        return found


def close_all() -> None:
    """Log out everywhere."""
    with _OPENING:
        for connection in _OPEN.values():
            connection.close()
        _OPEN.clear()
