"""One line on how a training is getting on: rewritten on a terminal, repeated elsewhere."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

PLAIN_SECONDS = 5.0
"""Where lines stay, one at most so often."""


class Progress:
    """Writes to `stream` until that fails once: a terminal that vanished ends no training."""

    def __init__(self, stream: TextIO, iterations: int) -> None:
        self._stream: TextIO | None = stream
        self._iterations = iterations
        self._live = stream.isatty()
        self._begun = time.monotonic()
        self._first: int | None = None
        self._said = -PLAIN_SECONDS

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def show(self, row: Mapping[str, Any]) -> None:
        """The state after one iteration."""
        if self._first is None:
            self._first = row["iteration"] - 1
        now, last = time.monotonic(), row["iteration"] >= self._iterations
        if not self._live and not last and now - self._said < PLAIN_SECONDS:
            return
        self._said = now
        each = (now - self._begun) / (row["iteration"] - self._first)
        line = sentence(row, self._iterations, each * (self._iterations - row["iteration"]))
        self._write(f"\r\x1b[K{line}" + ("\n" if last else "") if self._live else f"{line}\n")

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            stream, self._stream = self._stream, None
            with suppress(OSError, ValueError):
                stream.close()


def sentence(row: Mapping[str, Any], iterations: int, left: float) -> str:
    """One iteration in a line. `left`: seconds to the planned end."""
    value = row["episode_return_mean"]
    reached = f"return {value:.1f}" if value is not None else f"reward {row['reward_mean']:.3g}"
    return (
        f"iteration {row['iteration']}/{iterations}  {reached}  kl {row['kl']:.5f}"
        f"  {row['update_outcome']}  {row['steps_per_second']:,.0f} steps/s  {_duration(left)} left"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
