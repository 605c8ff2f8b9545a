"""One line on how a training is getting on: rewritten on a terminal, repeated elsewhere."""

import math
import os
import select
import shlex
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

from agent.sentence import amount, duration, number, sentence

PLAIN_SECONDS = 5.0
"""Where lines stay, one at most so often."""
LIVE_SECONDS = 0.1
"""Where a line is rewritten, it is at most so often: nobody reads faster, and SSH is slow."""
RECENT = 32
"""Rows that speed and time left are judged by. The first row only starts the clock, so that what
happens once (the first touch of every library) is not taken for the rule."""
PATIENCE = 1.0
"""How long a line that matters waits for a terminal that takes nothing, s."""


class Progress:
    """Writes to `stream` until that fails once: a terminal that vanished ends no training.

    While it is entered, what anything else prints takes the line's place instead of tearing it, and
    a print to a terminal that is gone is lost instead of raising.
    """

    def __init__(self, stream: TextIO, iterations: int) -> None:
        self._stream = stream
        self._iterations = iterations
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._silent = False
        self._drawn = False
        self._begun = time.monotonic()
        self._said = -PLAIN_SECONDS
        self._rows: deque[tuple[float, int, int]] = deque(maxlen=RECENT)
        self._trained = 0
        self._row: Mapping[str, Any] = {}
        self._return: float | None = None
        self._best: tuple[float, int] | None = None
        self._streams = sys.stdout, sys.stderr

    def __enter__(self) -> Self:
        self._streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (cast(TextIO, _Behind(each, self)) for each in self._streams)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.stdout, sys.stderr = self._streams
        if self._drawn:
            # Once more: Ctrl-C has left its ^C upon it, and rows may have come since.
            self._write(f"\r{self._line().ljust(self._columns() - 1)}\n")
            self._drawn = False

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        self._write(f"{text}\n", PATIENCE)

    def show(self, row: Mapping[str, Any]) -> None:
        """The state after one iteration."""
        now, iteration = time.monotonic(), row["iteration"]
        self._rows.append((now, iteration, row["timesteps"]))
        self._trained += 1
        self._row = row
        value = row["episode_return_mean"]
        if value is not None:
            self._return = value
            if not math.isnan(value) and (self._best is None or value > self._best[0]):
                self._best = value, iteration
        last = iteration >= self._iterations
        if not last and now - self._said < (LIVE_SECONDS if self._live else PLAIN_SECONDS):
            return
        self._said = now
        if not self._live:
            self._write(f"{self._line()}\n")
        elif self._write(f"\r{self._line().ljust(self._columns() - 1)}\r"):
            # The cursor waits at the line's start: text of a library that writes by itself then
            # covers the line instead of following it.
            self._drawn = True

    def end(self, run: Path, stopped: str | None = None) -> None:
        """What came out, and what to do next. `stopped`: why it ended before its time."""
        if stopped is not None:
            self.say(f"stopped: {stopped}")
        told = f"trained {self._trained} iteration{'' if self._trained == 1 else 's'}"
        told += f" in {duration(time.monotonic() - self._begun)}"
        # A run that was gone on with has steps of before.
        self.say(f"{told}, {amount(self._row['timesteps'])} steps in all" if self._row else told)
        if self._return is not None and self._best is not None:
            value, at = self._best
            self.say(f"return {number(self._return)}, best {number(value)} in iteration {at}")
        name = shlex.quote(str(run))
        if stopped is None:
            self.say(f"next: trpo-tui watch {name}, or trpo-tui analyze {name}")
        else:
            self.say(f"go on with trpo-tui train --resume {name}")

    def clear(self) -> None:
        """Take the line away, so that something else can stand there."""
        if self._drawn:
            self._drawn = False
            self._write(f"\r{' ' * (self._columns() - 1)}\r")

    def _line(self) -> str:
        """The latest row in one line; on a terminal, one that fits it."""
        left, speed = self._pace()
        columns = self._columns() - 1 if self._live else None
        return sentence(self._row, self._return, self._iterations, left, speed, columns)

    def _pace(self) -> tuple[float | None, float | None]:
        """Seconds to the planned end and steps a second; None while too little is known."""
        if len(self._rows) < 3:
            return None, None
        (begun, first, seen), (now, last, reached) = self._rows[0], self._rows[-1]
        seconds = max(now - begun, 1e-9)
        left = (self._iterations - last) * seconds / max(1, last - first)
        return left, (reached - seen) / seconds

    def _columns(self) -> int:
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        return 80

    def _write(self, text: str, patience: float = 0.0) -> bool:
        """Whether it was written. A terminal that takes nothing (Ctrl-S, a stalled connection) would
        hold the training: then the text is left out."""
        if self._silent or not self._ready(patience):
            return False
        try:
            self._stream.write(text)
            self._stream.flush()
        except BlockingIOError:
            return False
        except (OSError, ValueError):  # ValueError: the stream was closed
            self._silent = True
            to_nowhere(self._stream)
            return False
        return True

    def _ready(self, patience: float) -> bool:
        try:
            return bool(select.select([], [self._stream], [], patience)[1])
        except (OSError, ValueError):  # no file, or a console of Windows
            return True


class _Behind:
    """A stream whose text first takes the progress line away, and is lost once nobody can read it."""

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def write(self, text: str) -> int:
        self._progress.clear()
        try:
            return self._stream.write(text)
        except BlockingIOError:
            raise
        except OSError:
            to_nowhere(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BlockingIOError:
            raise
        except OSError:
            to_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def to_nowhere(stream: TextIO) -> None:
    """Let what still comes be lost, whoever writes it: the terminal or the reader is gone."""
    with suppress(OSError, ValueError):  # a stream that is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
