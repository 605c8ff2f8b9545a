"""Who writes a run: one process at a time, and readers can tell whether it still lives."""

import errno
import json
import os
import platform
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from runlog.errors import UserError
from runlog.folder import LOCK, write_all

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # the module is absent there

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
BEAT_SECONDS = 10.0
"""How often a writer touches its lock."""
SILENT_SECONDS = 40.0
"""A lock untouched for so long has lost its writer (same machine)."""
SILENT_SECONDS_ELSEWHERE = 120.0
"""The same for another machine, seen through the caches of a network file system."""
Life = Literal["alive", "gone", "silent"]
"""A writer that lives, one that is known to be gone, one that shows no sign of life."""

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


class Lock:
    """A run's `.lock`, held until released; `warning` says what protection is missing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK
        self.warning: str | None = None
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            made = True
        except FileExistsError:
            self._descriptor = os.open(self.path, os.O_RDWR)
            made = False
        try:
            self._take(made=made)
        except BaseException:
            os.close(self._descriptor)
            raise
        _HELD.add(self)

    def _take(self, *, made: bool) -> None:
        got = _patient_flock(self._descriptor)
        owner = _owner(self.path)
        if got is False:
            raise _refusal(self.path, owner)
        if (got is None or not owner.get("flock", True)) and not made and _owner_lives(self.path):
            raise _refusal(self.path, owner)
        identity = {
            "pid": os.getpid(),
            "host": platform.node(),
            "boot_id": boot_id(),
            "flock": got is not None,
        }
        line = json.dumps(identity).encode() + b"\n"
        if got is None:
            self.warning = "no file locks here: a second writer of this run may go unnoticed"
        os.ftruncate(self._descriptor, 0)
        write_all(self._descriptor, line)

    def beat(self) -> None:
        """Touch the lock, so that readers on other machines see that the writer lives."""
        os.utime(self.path)

    def release(self) -> None:
        """Let go; a lock the system does not keep is removed, as nothing else would free it."""
        if self in _HELD:
            self.forget()
            if self.warning is not None:
                self.path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Close the file and leave it where it is."""
        _HELD.discard(self)
        os.close(self._descriptor)


_HELD: "weakref.WeakSet[Lock]" = weakref.WeakSet()


def _forget_all() -> None:
    for lock in tuple(_HELD):
        lock.forget()


if hasattr(os, "register_at_fork"):
    # A forked worker (a vectorised environment, say) would keep the lock of a killed parent held.
    os.register_at_fork(after_in_child=_forget_all)


class Heart:
    """Tells how alive the writer of one run is; remembers what it saw between two looks."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._touched: float | None = None
        self._seen = 0.0

    def look(self) -> Life:
        """A lock that is held means alive; a free one, on this machine, that the writer is gone."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return "silent"
        except PermissionError:
            return self._beat(_owner(self._path))
        try:
            got = _flock(descriptor, exclusive=False)
        finally:
            os.close(descriptor)
        owner = _owner(self._path)
        if got is False:
            return "alive"
        if got and owner.get("flock", True) and _same_machine(owner):
            return "gone"
        lives = _process_lives(owner)
        return self._beat(owner) if lives is None else ("alive" if lives else "gone")

    def _beat(self, owner: Mapping[str, Any]) -> Life:
        try:
            touched = self._path.stat().st_mtime
        except OSError:
            return "silent"
        if self._touched is None:
            # One look has only the file's time to go by; later ones go by this machine's clock.
            self._seen = time.monotonic() - max(0.0, time.time() - touched)
        elif touched != self._touched:
            self._seen = time.monotonic()
        self._touched = touched
        limit = SILENT_SECONDS if _same_machine(owner) else SILENT_SECONDS_ELSEWHERE
        return "alive" if time.monotonic() - self._seen <= limit else "silent"


def boot_id() -> str | None:
    """What changes when the machine restarts; None where the system does not say."""
    try:
        return BOOT_ID_FILE.read_text("ascii").strip() or None
    except OSError:
        return None


def owner_of(folder: Path) -> Mapping[str, Any]:
    """What the last writer of a run wrote about itself: pid, host, boot_id; empty if unknown."""
    return _owner(folder / LOCK)


def _flock(descriptor: int, *, exclusive: bool) -> bool | None:
    """Whether the lock was got; None where the system has no such locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno in _UNSUPPORTED:
            return None
        raise
    return True


def _patient_flock(descriptor: int) -> bool | None:
    got = _flock(descriptor, exclusive=True)
    for _ in range(10):
        if got is not False:
            break
        time.sleep(0.03)  # a reader holds it for an instant while it looks
        got = _flock(descriptor, exclusive=True)
    return got


def _owner(path: Path) -> Mapping[str, Any]:
    try:
        owner = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _same_machine(owner: Mapping[str, Any]) -> bool:
    here = boot_id()
    if here is not None and owner.get("boot_id") == here:
        return True
    return owner.get("host") == platform.node()  # restarted since, or no boot id to compare


def _process_lives(owner: Mapping[str, Any]) -> bool | None:
    """Whether that process exists on this machine; None where it cannot be asked."""
    pid = owner.get("pid")
    if owner.get("host") != platform.node() or os.name != "posix" or not isinstance(pid, int):
        return None
    then, now = owner.get("boot_id"), boot_id()
    if then and now and then != now:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _owner_lives(path: Path) -> bool:
    """Whether the maker of a lock file that the system does not keep is still there."""
    owner = _owner(path)
    if owner.get("pid") == os.getpid() and owner.get("host") == platform.node():
        return any(lock.path == path for lock in _HELD)
    lives = _process_lives(owner)
    if lives is not None:
        return lives
    age = time.time() - path.stat().st_mtime
    return age <= (SILENT_SECONDS if _same_machine(owner) else SILENT_SECONDS_ELSEWHERE)


def _refusal(path: Path, owner: Mapping[str, Any]) -> UserError:
    who = f"process {owner['pid']} on {owner['host']}" if owner.get("pid") else "another process"
    return UserError(f"{path.parent}: {who} is writing this run; stop it or choose another folder")
