"""What the user's ssh configuration says of a host: whom to trust, by which way, as whom."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runlog.errors import UserError

if TYPE_CHECKING:
    from asyncssh import SSHClientConnectionOptions, SSHKey

SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
SSH_PORT = 22
KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")

_SAID_AT_ONCE = ("RevokedHostKeys", "KnownHostsCommand", "ProxyUseFdpass", "BindInterface")
_SAID_ON_FAILURE = {
    "ControlPath": "",  # a connection of OpenSSH's own that would be shared
    "GSSAPIAuthentication": "gssapi",
    "PKCS11Provider": "pkcs11",
    "SecurityKeyProvider": "fido2",
}
"""Options without which another way to log in may be found, and the module that honours them."""
_OFF = ("", "no", "none", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """The configuration of one host, as far as it is asked for before connecting."""

    options: "SSHClientConnectionOptions"
    jumps: tuple[str, ...]
    proxy_command: tuple[str, ...]
    known_hosts: "KnownHosts"
    ignored: tuple[str, ...]
    """Options in force that are not honoured, to be said at once."""
    lacking: tuple[str, ...]
    """The same, to be said if the login fails."""


def config_paths() -> list[Path]:
    """The configuration files that are there, the user's first."""
    paths = (Path("~/.ssh/config").expanduser(), SYSTEM_CONFIG)
    return [path for path in paths if os.access(path, os.R_OK)]


def config_of(host: str, *, user: str | None, port: int | None) -> HostConfig:
    """What the configuration files say of a host; raises UserError where they cannot be read."""
    import asyncssh

    given: dict[str, Any] = {"host": host}
    if user is not None:
        given["username"] = user
    if port is not None:
        given["port"] = port
    try:
        found = _effective(host, given, config_paths())
        names = [
            *_files(found.get("UserKnownHostsFile"), KNOWN_HOSTS),
            *_files(found.get("GlobalKnownHostsFile"), SYSTEM_KNOWN_HOSTS),
        ]
        known = KnownHosts(names)
        # The keys are checked against what was found here, whatever else would be the default.
        settings = given | {
            "config": config_paths(),
            "known_hosts": known.keys_of,
            "agent_forwarding": False,
            "x11_forwarding": False,
            "login_timeout": 600,
        }
        keys = found.get("IdentityFile")
        if isinstance(keys, list):
            # ssh passes over a key that is not there, asyncssh would stop.
            there = [k for k in keys if os.access(Path(k).expanduser(), os.R_OK)]
            settings |= {"client_keys": there, "ignore_encrypted": True}
            if found.get("IdentitiesOnly"):
                settings["agent_identities"] = there
        options = asyncssh.SSHClientConnectionOptions(**settings)
        if options.config.get("HostKeyAlgorithms") is None:
            name = options.host_key_alias or options.host
            settings["server_host_key_algs"] = known.algorithms(name, options.port)
            options = asyncssh.SSHClientConnectionOptions(**settings)
    except (OSError, ValueError, asyncssh.Error) as error:
        # ValueError: a line of the file, an unknown algorithm, a key that is none.
        raise UserError(f"ssh://{host}: your ssh configuration cannot be used ({error})") from error
    command = options.proxy_command or ()
    jumps = options.tunnel if isinstance(options.tunnel, str) else ""
    return HostConfig(
        options=options,
        jumps=tuple(jumps.split(",")) if jumps and jumps.lower() != "none" else (),
        proxy_command=tuple(map(str, command)),
        known_hosts=known,
        ignored=tuple(name for name in _SAID_AT_ONCE if _on(found.get(name))),
        lacking=tuple(
            name
            for name, module in _SAID_ON_FAILURE.items()
            if _on(found.get(name)) and not (module and find_spec(module))
        ),
    )


def _on(value: object) -> bool:
    return value is not None and str(value).lower() not in _OFF


def _files(given: object, default: Sequence[str]) -> Sequence[str]:
    if given is None:
        return default
    return [str(name) for name in given] if isinstance(given, list | tuple) else [str(given)]


def _effective(host: str, given: Mapping[str, Any], paths: Sequence[Path]) -> Mapping[str, object]:
    """The options in force for a host, those that asyncssh passes over included."""
    import getpass

    from asyncssh.config import SSHClientConfig

    class Everything(SSHClientConfig):
        _handlers = SSHClientConfig._handlers | {
            name.lower(): (name, SSHClientConfig._set_string)
            for name in (*_SAID_AT_ONCE, "ControlPath", "SecurityKeyProvider")
        }

    user, port = given.get("username", ()), given.get("port", ())
    known = (getpass.getuser(), user, host, port)
    config = Everything.load(None, paths, False, False, False, *known)
    if config.has_match_final():
        config = Everything.load(config, paths, True, False, True, *known)
    keys, trusted = (
        ("IdentityFile", "IdentitiesOnly"),
        ("UserKnownHostsFile", "GlobalKnownHostsFile"),
    )
    names = (*_SAID_AT_ONCE, *_SAID_ON_FAILURE, *keys, *trusted)
    return {name: config.get(name) for name in names}


class KnownHosts:
    """The keys that are trusted, from OpenSSH's files; by the host's name, never by its address."""

    def __init__(self, names: Sequence[str]) -> None:
        import asyncssh

        self._entries = asyncssh.SSHKnownHosts()
        self.any = False
        """Whether the host that was looked up last has an entry."""
        for name in names:
            named = os.path.expandvars(name.strip('"').replace("%d", str(Path.home())))
            path = Path(named).expanduser()
            with suppress(OSError):  # most of these files are not there
                for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                    with suppress(ValueError):  # a line OpenSSH would pass over too
                        self._entries.load(line)

    def keys_of(
        self, host: str, _address: str, port: int | None
    ) -> "tuple[Sequence[SSHKey], Sequence[SSHKey], Sequence[SSHKey]]":
        """Trusted keys, trusted authorities and revoked keys of a host."""
        keys, authorities, revoked, *_ = self._entries.match(host, "", port)
        self.any = bool(keys or authorities)
        return keys, authorities, revoked

    def algorithms(self, host: str, port: int) -> list[str]:
        """All kinds of host keys, those first that are known of the host.

        A host that has only another kind is then told from one that is not there.
        """
        from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

        keys, authorities, _ = self.keys_of(host, "", None if port == SSH_PORT else port)
        known = [name for key in keys for name in key.sig_algorithms]
        others = [*get_default_public_key_algs(), *get_default_certificate_algs()]
        signed = get_default_certificate_algs() if authorities else []
        return [str(n, "ascii") for n in dict.fromkeys([*signed, *known, *others]) if n in others]
