"""Where in the run one looks: the row under the cursor of every chart, followed or moved."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from runlog.errors import UserError

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Iterations per second while playing."""
FRAMES_PER_SECOND = 20
"""Redraws per second at most; faster play moves several rows a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playhead:
    """A row of a run of `length` rows. `follow` keeps it at the newest row; `row` is -1 in an empty run."""

    row: int = -1
    length: int = 0
    follow: bool = True
    playing: bool = False
    speed: float = 1.0

    def grown(self, length: int) -> "Playhead":
        """The run has `length` rows now; following stays at the end, a moved playhead stays."""
        row = length - 1 if self.follow else min(self.row, length - 1)
        return replace(self, length=length, row=row)

    def at(self, row: int) -> "Playhead":
        """At that row, held inside the run; no longer following or playing."""
        row = max(min(row, self.length - 1), min(0, self.length - 1))
        return replace(self, row=row, follow=False, playing=False)

    def moved(self, rows: int) -> "Playhead":
        """Moved by that many rows; a step past the end follows again."""
        if self.row + rows >= self.length and rows > 0:
            return self.end()
        return self.at(self.row + rows)

    def after(self, action: str) -> "Playhead | None":
        """Where the action of that name leads; None for another action."""
        moves: dict[str, Callable[[], Playhead]] = {
            "left": lambda: self.moved(-1),
            "right": lambda: self.moved(1),
            "left-10": lambda: self.moved(-10),
            "right-10": lambda: self.moved(10),
            "home": self.home,
            "end": self.end,
        }
        return moves[action]() if action in moves else None

    def home(self) -> "Playhead":
        return self.at(0)

    def end(self) -> "Playhead":
        """At the newest row and following."""
        return replace(self, row=self.length - 1, follow=True, playing=False)

    def toggled(self, *, live: bool) -> "Playhead":
        """Space: hold a live run here; play from here; from the start when at the end."""
        if self.playing or (self.follow and live):
            return replace(self, follow=False, playing=False)
        row = 0 if self.row >= self.length - 1 and not live else self.row
        return replace(self, row=min(row, self.length - 1), follow=False, playing=True)

    def played(self) -> "Playhead":
        """One frame later: at the end it follows again."""
        row = self.row + self.rows_per_frame
        if row >= self.length - 1:
            return self.end()
        return replace(self, row=row)

    @property
    def rows_per_frame(self) -> int:
        return max(1, round(self.speed / FRAMES_PER_SECOND))

    @property
    def seconds_per_frame(self) -> float:
        return self.rows_per_frame / self.speed

    def faster(self, steps: int) -> "Playhead":
        """The next speed up (steps 1) or down (-1)."""
        place = SPEEDS.index(self.speed) + steps
        return replace(self, speed=SPEEDS[max(0, min(place, len(SPEEDS) - 1))])


def neighbour(rows: Sequence[int], row: int, direction: int) -> int | None:
    """The next (direction 1) or previous (-1) of the sorted rows, None where there is none."""
    if direction > 0:
        place = bisect_right(rows, row)
        return rows[place] if place < len(rows) else None
    place = bisect_left(rows, row)
    return rows[place - 1] if place > 0 else None


def row_of(
    text: str, iterations: NDArray[np.float64], times: NDArray[np.float64] | None = None
) -> int:
    """The row an answer to "go to" means: an iteration number, a percentage of the run, or the
    latest time of day, HH:MM or HH:MM:SS here, that the run has reached (`times`: Unix seconds)."""
    text = text.strip()
    if not len(iterations):
        raise UserError("go to: the run has no rows yet")
    try:
        if ":" in text:
            return _row_at(text, times)
        if text.endswith("%"):
            share = max(0.0, min(float(text[:-1]), 100.0)) / 100
            return round(share * (len(iterations) - 1))
        wanted = float(text)
    except ValueError:
        wanted = math.nan
    if not math.isfinite(wanted):
        raise UserError(f"go to {text!r}: give an iteration, a percentage or a time (14:05)")
    return int(np.nanargmin(np.abs(iterations - wanted)))


def _row_at(text: str, times: NDArray[np.float64] | None) -> int:
    """The last row of the latest day that has it at that time; ValueError for what is no time."""
    hours, minutes, *rest = map(int, text.split(":"))
    seconds = rest[0] if rest else 59
    if len(rest) > 1 or not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 60):
        raise ValueError(text)
    known = None if times is None else np.flatnonzero(np.isfinite(times))
    if known is None or times is None or not len(known):
        raise UserError(f"go to {text}: the log does not say when its rows were written")
    newest = datetime.fromtimestamp(float(times[known[-1]]))
    wanted = newest.replace(hour=hours, minute=minutes, second=seconds, microsecond=999_999)
    if wanted > newest and (wanted.hour, wanted.minute) > (newest.hour, newest.minute):
        wanted -= timedelta(days=1)
    before = known[times[known] <= wanted.timestamp()]
    return int(before[-1]) if len(before) else int(known[0])
