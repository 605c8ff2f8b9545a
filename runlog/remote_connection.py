"""A login on another machine: opened, used from any thread, opened again after a cut line."""

import asyncio
import atexit
import errno
import logging
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, TypeVar

from runlog.errors import UserError
from runlog.remote_address import SCHEME, Address, address_of
from runlog.remote_config import SSH_PORT, HostConfig, config_of
from runlog.remote_login import Questions, client_of, plain

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
CONNECT_SECONDS = 15.0
"""For the way to the host and for the login each, unless ConnectTimeout says otherwise."""
SILENT_SECONDS = 20.0
"""A request unanswered for so long means that the line is cut."""
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
PATIENCE_SECONDS = 60.0
"""Waited for altogether where nothing can be shown meanwhile."""
_JUMPS = 8
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
        self._loop = asyncio.new_event_loop()
        self._hops: list[asyncssh.SSHClientConnection] = []
        self._proxy: subprocess.Popen[bytes] | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self._failures = 0
        self._again = 0.0
        self._heard = 0.0
        self.notes: tuple[str, ...] = ()
        """What the user must know about this login, one sentence each."""

    def open(self, *, asking: bool) -> None:
        """Log in. `asking`: whether questions may be put to the user. Raises UserError."""
        with self._lock:
            if self._sftp is None:
                try:
                    self._log_in(asking=asking)
                except _Unreachable as error:
                    raise UserError(str(error)) from error

    def call(self, work: "Callable[[asyncssh.SFTPClient], Coroutine[Any, Any, T]]") -> T:
        """Do some work over SFTP; raises Cut when the line is, UserError when it stays so."""
        with self._lock:
            self._reopen()
            assert self._sftp is not None  # noqa: S101  what _reopen has just seen to
            from asyncssh import DisconnectError, SFTPConnectionLost, SFTPNoConnection

            try:
                return self._run(work(self._sftp), SILENT_SECONDS)
            except (DisconnectError, SFTPConnectionLost, SFTPNoConnection, TimeoutError) as error:
                raise self._cut() from error
            except OSError as error:
                if error.errno in _LINE_ERRORS:
                    raise self._cut() from error
                raise UserError(
                    f"ssh://{self.who}: what is read cannot be kept in {gettempdir()} "
                    f"({error.strerror or error})"
                ) from error

    def heard(self) -> None:
        """Something was answered: the line is not cut, however long the work takes."""
        self._heard = time.monotonic()

    def close(self) -> None:
        """Log out."""
        with self._lock:
            if not self.closed:
                self.closed = True
                self._hang_up()
                self._loop.close()

    def _reopen(self) -> None:
        if self.closed:
            raise UserError(f"ssh://{self.who}: the connection has been closed")
        if self._sftp is not None:
            return
        if (seconds := self._again - time.monotonic()) > 0:
            raise Cut(self.who, seconds, fresh=False)
        try:
            self._log_in(asking=False)
        except _Unreachable as error:
            raise self._cut() from error

    def _cut(self) -> Cut:
        self._hang_up()
        seconds = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1
        self._again = time.monotonic() + seconds
        return Cut(self.who, seconds, fresh=True)

    def _hang_up(self) -> None:
        hops, self._hops, self._sftp = self._hops, [], None
        for hop in reversed(hops):
            hop.abort()
        if hops:
            self._loop.run_until_complete(asyncio.sleep(0))
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()
            self._proxy = None

    def _run(self, work: Awaitable[T], limit: float, questions: Questions | None = None) -> T:
        """The result of the work; TimeoutError when nothing was heard for `limit` seconds."""
        task = asyncio.ensure_future(work, loop=self._loop)
        self.heard()
        spent = 0.0 if questions is None else questions.seconds

        async def watch() -> None:
            while not task.done():
                asked = 0.0 if questions is None else questions.seconds - spent
                left = self._heard + asked + limit - time.monotonic()
                if left <= 0:
                    task.cancel()
                await asyncio.wait({task}, timeout=max(left, 1.0))

        try:
            self._loop.run_until_complete(watch())
        except BaseException:  # Ctrl-C: the work must not go on at the next call
            task.cancel()
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(asyncio.wait({task}, timeout=1.0))
            raise
        if task.cancelled():
            raise TimeoutError("no answer")
        return task.result()

    def _log_in(self, *, asking: bool) -> None:
        try:
            self._hop(self.address.host, self.address.user, self.address.port, asking, ())
            self._sftp = self._start_sftp()
        except BaseException:
            self._hang_up()
            raise
        self._failures = 0

    def _start_sftp(self) -> "asyncssh.SFTPClient":
        import asyncssh

        try:
            return self._run(
                self._hops[-1].start_sftp_client(path_errors="surrogateescape"), CONNECT_SECONDS
            )
        except (asyncssh.ChannelOpenError, asyncssh.SFTPError) as error:
            raise UserError(
                f"ssh://{self.who}: the login works, but there is no SFTP there "
                f"({plain(error) or 'subsystem refused'}); {self.way_round}"
            ) from error
        except (asyncssh.DisconnectError, TimeoutError) as error:
            raise _Unreachable(f"ssh://{self.who}: connection lost ({plain(error)})") from error

    @property
    def way_round(self) -> str:
        """How to read the same without this login."""
        port = f"-p {self.address.port} " if self.address.port else ""
        user = f"{self.address.user}@" if self.address.user else ""
        path = self.address.path
        log = shlex.quote(path if path.startswith("/") else f"./{path}")
        return f"try: ssh {port}{user}{self.address.host} tail -n +1 -F {log} | trpo-tui watch -"

    def _hop(
        self, host: str, user: str | None, port: int | None, asking: bool, via: tuple[str, ...]
    ) -> None:
        """Log in on a host, and before that on those its configuration names as the way there."""
        if host in via or len(via) > _JUMPS:
            raise UserError(f"ssh://{self.who}: ProxyJump runs in a circle at {host}")
        config = config_of(host, user=user, port=port)
        if config.ignored and asking:
            names = ", ".join(config.ignored)
            self.notes += (f"{host}: not honoured from your ssh configuration: {names}.",)
        for jump in config.jumps:
            self._hop(*_jump(jump), asking, (*via, host))
        who = f"{config.options.username}@{host}"
        self._hops.append(self._enter(who, config, Questions(who, allowed=asking)))

    def _enter(
        self, who: str, config: HostConfig, questions: Questions
    ) -> "asyncssh.SSHClientConnection":
        import asyncssh

        options = config.options
        limit = float(options.connect_timeout or CONNECT_SECONDS)
        place = f"{options.host}:{options.port}"
        way: dict[str, Any] = {}
        try:
            if self._hops:
                way["tunnel"] = self._hops[-1]
            elif config.proxy_command:
                way["sock"] = self._proxied(config.proxy_command)
            else:
                way["sock"] = _connected(options, limit)
            return self._run(
                asyncssh.connect(
                    options.host,
                    options.port,
                    options=options,
                    config=None,
                    client_factory=client_of(questions, options),
                    connect_timeout=None,
                    **({"tunnel": None, "proxy_command": None} | way),
                ),
                limit,
                questions,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            raise UserError(_distrust(who, config, plain(error))) from error
        except asyncssh.PermissionDenied as error:
            raise UserError(self._refused(who, config, questions)) from error
        except asyncssh.KeyExchangeFailed as error:
            if config.known_hosts.any and "host key" in str(error).lower():
                raise UserError(_distrust(who, config, plain(error))) from error
            raise UserError(f"ssh://{who}: no encryption in common ({plain(error)})") from error
        except socket.gaierror as error:
            raise _Unreachable(
                f"ssh://{who}: no host of that name ({error.strerror}); check the name, or your "
                "ssh configuration"
            ) from error
        except (TimeoutError, OSError, asyncssh.Error) as error:
            if isinstance(error, TimeoutError):
                reason = f"no answer within {limit:.0f} s"
            else:
                reason = plain(getattr(error, "strerror", None) or error) or "connection closed"
            raise _Unreachable(f"ssh://{who}: {place} cannot be reached ({reason})") from error

    def _proxied(self, command: tuple[str, ...]) -> socket.socket:
        """What a ProxyCommand carries, as a socket; no shell takes part."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                # A session of its own: it cannot ask on the terminal the screen is drawn on.
                self._proxy = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise UserError(
                    f"ssh://{self.who}: ProxyCommand {command[0]} cannot be started "
                    f"({error.strerror})"
                ) from error
        return ours

    def _refused(self, who: str, config: HostConfig, questions: Questions) -> str:
        lacking = f"; not honoured here: {', '.join(config.lacking)}" if config.lacking else ""
        lacking += "".join(f"; {trouble}" for trouble in questions.troubles)
        if questions.wanted is not None:
            question = questions.wanted.rstrip(": ")
            why = "and nobody can be asked now" if questions.allowed else "again"
            hint = "use a key or an agent" if questions.allowed else "start the command once more"
            return f"ssh://{who}: the login asks ({question}) {why}; {hint}{lacking}"
        return (
            f"ssh://{who}: the login was refused{lacking}; check `ssh {who.rpartition('@')[2]}`, "
            f"or {self.way_round}"
        )


class _Unreachable(Exception):  # noqa: N818  becomes a Cut or a UserError, whoever asked
    """No way to the host now; later there may be one."""


def _connected(options: "asyncssh.SSHClientConnectionOptions", limit: float) -> socket.socket:
    """A connection to the first of the host's addresses that takes one."""
    family = options.family or socket.AF_UNSPEC
    found = socket.getaddrinfo(options.host, options.port, family, socket.SOCK_STREAM)
    reason: OSError = ConnectionRefusedError("no address")
    for kind, type_, protocol, _, place in found:
        way = socket.socket(kind, type_, protocol)
        try:
            way.settimeout(limit)
            if options.local_addr:
                way.bind(options.local_addr)
            way.connect(place)
        except OSError as error:
            way.close()
            reason = error
        else:
            return way
    raise reason


def _jump(text: str) -> tuple[str, str | None, int | None]:
    """Host, user and port of one part of a ProxyJump."""
    address = address_of(f"{SCHEME}{text.strip().removeprefix(SCHEME)}/")
    return address.host, address.user, address.port


def _distrust(who: str, config: HostConfig, reason: str) -> str:
    host, port = config.options.host, config.options.port
    name = who.rpartition("@")[2]
    if "revoked" in reason:
        return f"ssh://{who}: the key of {host} is revoked in known_hosts; not connected"
    if not config.known_hosts.any:
        with_port = f"-p {port} " if port != SSH_PORT else ""
        return (
            f"ssh://{who}: {host} is not in known_hosts; run `ssh {with_port}{name}` once and "
            "compare the fingerprint it shows"
        )
    entry = host if port == SSH_PORT else f"[{host}]:{port}"
    return (
        f"ssh://{who}: the key of {host} is not the one in known_hosts: another machine answers, "
        f"or it was installed anew; once you know which, `ssh-keygen -R '{entry}'`"
    )


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
