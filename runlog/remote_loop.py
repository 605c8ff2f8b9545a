"""Work of asyncio's done from ordinary threads, one piece at a time, given up when it falls silent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def _none() -> float:
    return 0.0


class Loop:
    """An event loop that runs only while somebody waits for a result."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._heard = 0.0

    def heard(self) -> None:
        """Something was answered: the line is not cut, however long the work takes."""
        self._heard = time.monotonic()

    def run(self, work: Awaitable[T], limit: float, waited: Callable[[], float] = _none) -> T:
        """The result of the work; TimeoutError when nothing was heard for `limit` seconds.

        `waited`: seconds that were spent waiting for the user, which do not count.
        """
        task = asyncio.ensure_future(work, loop=self._loop)
        self.heard()
        before = waited()

        async def watch() -> None:
            while not task.done():
                left = self._heard + waited() - before + limit - time.monotonic()
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

    def settle(self) -> None:
        """Let what was closed go."""
        self._loop.run_until_complete(asyncio.sleep(0))

    def close(self) -> None:
        """No more work."""
        self._loop.close()
