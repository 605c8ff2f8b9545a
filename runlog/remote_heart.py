"""Does a writer on another machine live? Told by what can be seen over SFTP."""

import time

from runlog.lock import SILENT_SECONDS_ELSEWHERE, Life
from runlog.remote_files import Found


class RemoteHeart:
    """Whether a remote writer lives, by what was seen of its lock and its process.

    flock cannot be asked over SFTP. A lock whose time changes has a writer; one whose time stood
    still for long, by this machine's clock, has none. Where that machine is the writer's own, and
    its /proc can be read, a process that is not there any more tells it at once.
    """

    def __init__(self) -> None:
        self.skew = 0.0
        """Seconds by which that machine's clock is ahead of this one's."""
        self._touched: int | None = None
        self._seen = 0.0
        self._process: bool | None = None

    def take(self, lock: Found | None, *, process: bool | None) -> None:
        """What was seen just now. `process`: whether the writer's is there, None if not to be seen."""
        now = time.monotonic()
        if lock is None:
            self._touched, self._seen = None, -float("inf")
        elif self._touched is None:
            self._seen = now - max(0.0, time.time() - lock.mtime)
        elif lock.mtime != self._touched:
            self._seen = now
            self.observe(lock.mtime)
        self._touched = None if lock is None else lock.mtime
        self._process = process

    def observe(self, mtime: int) -> None:
        """A file was written to just now, at that time of the other machine."""
        ahead = mtime + 0.5 - time.time()
        self.skew = ahead if abs(ahead) > 3.0 else 0.0

    def clock(self) -> float:
        """What time it is over there, Unix seconds."""
        return time.time() + self.skew

    def look(self) -> Life:
        if self._process is False:
            return "gone"
        # One that is there may be another by now, with the number of a writer that is long gone.
        silent = time.monotonic() - self._seen
        return "alive" if silent <= SILENT_SECONDS_ELSEWHERE else "silent"
