"""The way to a host: past jump hosts or a ProxyCommand, its key checked, the login answered."""

import shlex
import socket
import subprocess
from typing import TYPE_CHECKING, Any

from runlog.errors import UserError
from runlog.remote_address import SCHEME, Address, address_of
from runlog.remote_config import SSH_PORT, HostConfig, config_of
from runlog.remote_login import Questions, client_of, plain
from runlog.remote_loop import Loop

if TYPE_CHECKING:
    import asyncssh

CONNECT_SECONDS = 15.0
"""For the way to the host and for the login each, unless ConnectTimeout says otherwise."""
_JUMPS = 8


class Unreachable(Exception):  # noqa: N818  becomes a Cut or a UserError, whoever asked
    """No way to the host now; later there may be one."""


class Way:
    """The logins on the way to one address, the last of them on its host."""

    def __init__(self, address: Address, loop: Loop) -> None:
        self.address, self._loop = address, loop
        self.who = address.login
        self._hops: list[asyncssh.SSHClientConnection] = []
        self._proxy: subprocess.Popen[bytes] | None = None
        self.notes: tuple[str, ...] = ()
        """What the user must know about it, one sentence each."""

    def go(self, *, asking: bool) -> "asyncssh.SFTPClient":
        """Log in and begin SFTP. Raises UserError, and Unreachable where a later try may help."""
        try:
            self._hop(self.address.host, self.address.user, self.address.port, asking, ())
            return self._start_sftp()
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Log out everywhere."""
        hops, self._hops = self._hops, []
        for hop in reversed(hops):
            hop.abort()
        if hops:
            self._loop.settle()
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()
            self._proxy = None

    def _start_sftp(self) -> "asyncssh.SFTPClient":
        import asyncssh

        try:
            return self._loop.run(
                self._hops[-1].start_sftp_client(path_errors="surrogateescape"), CONNECT_SECONDS
            )
        except (asyncssh.ChannelOpenError, asyncssh.SFTPError) as error:
            raise UserError(
                f"ssh://{self.who}: the login works, but there is no SFTP there "
                f"({plain(error) or 'subsystem refused'}); {self.way_round}"
            ) from error
        except (asyncssh.DisconnectError, TimeoutError) as error:
            raise Unreachable(f"ssh://{self.who}: connection lost ({plain(error)})") from error

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
            return self._loop.run(
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
                lambda: questions.seconds,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            raise UserError(_distrust(who, config, plain(error))) from error
        except asyncssh.PermissionDenied as error:
            raise UserError(self._refused(who, config, questions)) from error
        except asyncssh.KeyExchangeFailed as error:
            if config.known_hosts.any and "host key" in str(error).lower():
                raise UserError(_distrust(who, config, plain(error))) from error
            raise UserError(f"ssh://{who}: no encryption in common ({plain(error)})") from error
        except (socket.gaierror, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not to be spelled"
            raise Unreachable(
                f"ssh://{who}: no host of that name ({reason}); check the name, or your "
                "ssh configuration"
            ) from error
        except (TimeoutError, OSError, asyncssh.Error) as error:
            if isinstance(error, TimeoutError):
                reason = f"no answer within {limit:.0f} s"
            else:
                reason = plain(getattr(error, "strerror", None) or error) or "connection closed"
            if config.proxy_command:
                place = f"{place} through ProxyCommand {config.proxy_command[0]}, without a shell,"
            raise Unreachable(f"ssh://{who}: {place} cannot be reached ({reason})") from error

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
