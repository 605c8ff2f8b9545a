"""Ctrl-C, SIGTERM and SIGHUP as a request to stop in good order."""

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class StopSignals:
    """While open, the first signal is kept in `received` and calls `asked`; Ctrl-C after it does
    not wait any longer. A signal that is ignored (nohup) stays ignored, and so is a SIGHUP that only
    says that the terminal is gone (a connection that dropped): nobody asked to stop."""

    def __init__(self, asked: Callable[[], None]) -> None:
        self.received: signal.Signals | None = None
        self._asked = asked
        self._terminal = False
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None]
        self._before = {}

    def __enter__(self) -> Self:
        self._terminal = _has_terminal()
        for name in NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._heard)
        return self

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if signal.Signals(number).name == "SIGHUP" and self._terminal and not _has_terminal():
            return
        if self.received is None:
            self.received = signal.Signals(number)
            self._asked()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended; 0 when none came."""
        return 0 if self.received is None else 128 + self.received

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    """Whether this process still has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except (OSError, AttributeError):  # Windows has neither
        return False
    return True
