"""ssh://[user@]host[:port]/path: what the parts of such an address are, and which are refused."""

import re
from dataclasses import dataclass, replace
from posixpath import join, normpath

from runlog.errors import UserError

SCHEME = "ssh://"
LOST = "connection lost"
"""How the note of a run begins while the line to its machine is cut."""
_AUTHORITY = re.compile(
    r"(?:(?P<user>[^@]*)@)?(?P<host>\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^:\[\]]*)(?::(?P<port>.*))?"
)
# What a shell, ssh or a ProxyCommand could take for something else has no place in a name.
_HOST = re.compile(r"\w[\w.-]*|[0-9A-Fa-f:.]+(?:%\w+)?")
_USER = re.compile(r"[^\W-][\w.+\\@-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A place on another machine. `path`: absolute, or relative to the user's home there."""

    host: str
    path: str
    user: str | None = None
    port: int | None = None

    @property
    def login(self) -> str:
        """user@host:port, as far as they were given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user is not None else ""
        return f"{user}{host}" + (f":{self.port}" if self.port is not None else "")

    @property
    def parent(self) -> "Address":
        """The folder that holds it."""
        return replace(self, path=normpath(join(self.path, "..")))

    def below(self, *names: str) -> "Address":
        """A file or folder below it."""
        return replace(self, path=normpath(join(self.path, *names)))

    def __str__(self) -> str:
        path = self.path if self.path.startswith("/") else f"/~/{self.path}".removesuffix("/.")
        return f"{SCHEME}{self.login}{path}"


def is_remote(path: object) -> bool:
    """Whether a path is an address on another machine."""
    return str(path).startswith(SCHEME)


def address_of(text: str) -> Address:
    """The address that a text spells; raises UserError, one line, for one that is none.

    `/path` is absolute, `/~/path` begins in the home folder. Nothing in it is decoded: a blank is
    a blank, a percent sign is a percent sign.
    """
    shown = text if text.isprintable() else ascii(text)
    authority, slash, path = text.removeprefix(SCHEME).partition("/")
    found = _AUTHORITY.fullmatch(authority)
    if not is_remote(text) or found is None or not text.isprintable():
        raise UserError(f"{shown}: not an address; write ssh://[user@]host[:port]/path")
    user, host, port = found["user"], found["host"].strip("[]"), found["port"]
    if user is not None and ":" in user:
        raise UserError(
            f"ssh://…@{host}: a password has no place in an address (others see it); leave it out "
            "and it will be asked for"
        )
    if not _HOST.fullmatch(host):
        raise UserError(f"{shown}: {host!r} is no name of a host; write ssh://host/path")
    if user is not None and not _USER.fullmatch(user):
        raise UserError(f"{shown}: {user!r} is no name of a user; write ssh://user@host/path")
    if port is not None and not (port.isdecimal() and 0 < int(port) < 65536):
        raise UserError(f"{shown}: {port!r} is no port; write a number from 1 to 65535")
    if not slash:
        raise UserError(f"{shown}: no path; write {SCHEME}{authority}/path, or /~/path from home")
    if path == "~" or path.startswith("~/"):
        path = normpath(path[2:].lstrip("/") or ".")
    else:
        path = normpath("/" + path.lstrip("/"))
    return Address(host=host, path=path, user=user, port=None if port is None else int(port))
