"""The log's thread: what takes time is done here, about once a second, away from training."""

import threading
from collections.abc import Callable

PERIOD_SECONDS = 1.0


class Worker:
    """Calls `work` every period, sooner when woken, until it is stopped."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="runlog", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Ask for the next call now."""
        self._wake.set()

    def stop(self) -> None:
        """Let a call under way finish; there is no further one."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(PERIOD_SECONDS)
            self._wake.clear()
            if not self._stopped:
                self._work()
