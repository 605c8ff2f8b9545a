"""Rows as they are read: cells with their resolutions, iteration numbers, attempts."""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runlog.importers.counting import Counting
from runlog.importers.formats.format import Finish, Said
from runlog.importers.printed import Printed
from runlog.run import Chunk, Column, RecordChunk

_SEALED = 512
"""Rows in a chunk that no longer changes, so that a growing log is not read over and over."""


def _same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))  # NaN is like NaN here


@dataclass(slots=True)
class Row:
    """One block while it is read. `headed`: its iteration number was printed."""

    values: dict[str, Any] = field(default_factory=dict)
    halves: dict[str, float] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    headed: bool = False

    def put(self, column: str, printed: Printed) -> None:
        self.values[column] = printed.value
        if printed.half_unit or not isinstance(printed.value, str):
            self.halves[column] = printed.half_unit

    def repeats(self, other: "Row") -> bool:
        """Whether a block, as far as it came, is another once more: that of a second worker."""
        counted = self.headed or "timesteps" in self.values
        return counted and all(
            name in other.values and _same(value, other.values[name])
            for name, value in self.values.items()
        )

    def finished(self, finish: Finish | None) -> tuple[dict[str, Any], dict[str, float]]:
        """Its values and their resolutions, after the format has looked at it as a whole."""
        values, halves = dict(self.values), dict(self.halves)
        if finish is None:
            return values, halves
        cells = {name: Printed(value, halves.get(name, 0.0)) for name, value in values.items()}
        for name, printed in finish(cells, self.said).items():
            values.pop(name, None)
            halves.pop(name, None)
            if printed is not None:
                values[name] = printed.value
                if isinstance(printed.value, int | float):
                    halves[name] = printed.half_unit
        return values, halves


@dataclass(frozen=True, eq=False)
class SealedRows(RecordChunk):
    """Rows that do not change any more; a column is made once."""

    @cached_property
    def _made(self) -> dict[str, Column]:
        return {}

    def column(self, name: str) -> Column:
        column = self._made.get(name)
        if column is None:
            column = self._made[name] = super().column(name)
        return column


def _filled_in(count: int, before: int | None, after: int | None) -> list[int | None]:
    """Numbers for blocks that lost theirs, between the numbers before and after; None: no room."""
    if before is None:
        first = 1 if after is None or after <= count else after - count
        return [first + i for i in range(count)]
    room = count if after is None or after <= before else min(count, after - before - 1)
    return [before + 1 + i if i < room else None for i in range(count)]


def _counted(counting: Counting, rows: list[Row]) -> list[int]:
    """Numbers from 1 for blocks that print none; where their steps fall back, a run begins anew."""
    numbers = []
    last: float | None = None
    for row in rows:
        steps = row.values.get("timesteps")
        # rounded steps may repeat
        numbers.append(counting.number(None if steps == last else steps))
        last = steps if steps is not None else last
    return numbers


class Rows:
    """All rows of a log in the order printed; `chunks` gives them numbered.

    `finish`: what the format makes of a row as a whole.
    """

    def __init__(self, finish: Finish | None = None) -> None:
        self._finish = finish
        self._rows: list[Row] = []
        self._before: Row | None = None
        """The block before the one being read."""
        self._ended: Row | None = None
        self._counting = Counting()
        self._numbered_inside = False
        """Blocks have their number somewhere in the middle."""
        self._sealed: list[SealedRows] = []
        self._numbers: list[int] = []
        """Iterations of the rows sealed or settled, as far as they are known for good."""
        self._settled: list[Row] = []
        self._last: int | None = None
        self.left_out = 0
        """Blocks without a number for which the printed numbers left no room."""

    def __len__(self) -> int:
        return len(self._rows) + len(self._settled) + sum(c.rows for c in self._sealed)

    @property
    def current(self) -> Row | None:
        """The block being read."""
        return self._rows[-1] if self._rows else None

    def open(self, iteration: int | None) -> Row:
        """A new block, numbered where its number was printed."""
        self._close()
        row = Row()
        self._rows.append(row)
        if iteration is not None:
            self._number(iteration)
        elif self._last is None and len(self._rows) > 2 * _SEALED:
            self._settle_counted()
        return row

    def number_inside(self, iteration: int) -> None:
        """The number of the block being read, which stood among its values."""
        self._numbered_inside = True
        self._number(iteration)

    def _number(self, iteration: int) -> None:
        row = self._rows.pop()
        self._settle(iteration)
        row.headed = True
        row.values["iteration"] = iteration
        row.halves["iteration"] = 0.0
        self._rows.append(row)

    def _close(self) -> None:
        """The block being read is complete."""
        if self._repeated():
            self._rows.pop()
        else:
            self._before = self.current

    def _repeated(self) -> bool:
        """Whether the block being read is the one before it once more."""
        row, before = self.current, self._before
        if row is None or before is None or row is before or before is self._ended:
            return False
        return row.repeats(before)

    def process_ended(self) -> None:
        """What follows comes from another process: it repeats nothing, it begins anew."""
        self._ended = self.current

    def forget_unnumbered(self) -> None:
        """Drop the blocks being read that have no number."""
        self.left_out += sum(not row.headed for row in self._rows)
        self._rows = [row for row in self._rows if row.headed]

    def _numbered(self, after: int | None) -> tuple[list[Row], list[int], int]:
        """The rows not yet settled with their numbers, and how many found no room."""
        rows: list[Row] = []
        numbers: list[int] = []
        left_out, last, waiting = 0, self._last, list[Row]()

        def fill(following: int | None) -> None:
            nonlocal left_out, waiting
            if last is None and following is None:
                rows.extend(waiting)
                numbers.extend(_counted(deepcopy(self._counting), waiting))
                return
            for row, number in zip(waiting, _filled_in(len(waiting), last, following), strict=True):
                if number is None:
                    left_out += 1
                else:
                    rows.append(row)
                    numbers.append(number)
            waiting = []

        for row in self._rows:
            if row.headed:
                number = int(row.values["iteration"])
                fill(number)
                rows.append(row)
                numbers.append(number)
                last = number
            else:
                waiting.append(row)
        fill(after)
        return rows, numbers, left_out

    def _settle(self, iteration: int) -> None:
        rows, numbers, left_out = self._numbered(iteration)
        self.left_out += left_out
        self._settled += rows
        self._numbers += numbers
        if numbers:
            self._last = numbers[-1]
        self._rows = []
        self._seal()

    def _settle_counted(self) -> None:
        """Give their numbers for good to the oldest rows of a log that prints none."""
        rows, self._rows = self._rows[:_SEALED], self._rows[_SEALED:]
        self._settled += rows
        self._numbers += _counted(self._counting, rows)
        self._seal()

    def _seal(self) -> None:
        while len(self._settled) >= _SEALED:
            start = len(self._numbers) - len(self._settled)
            head = self._numbers[start : start + _SEALED]
            self._sealed.append(self._chunk(self._settled[:_SEALED], head))
            self._settled = self._settled[_SEALED:]

    def _chunk(self, rows: list[Row], numbers: list[int]) -> SealedRows:
        values, halves = [], []
        for row, number in zip(rows, numbers, strict=True):
            cells, units = row.finished(self._finish)
            values.append(cells | {"iteration": number})
            halves.append(units | {"iteration": 0.0})
        return SealedRows(tuple(values), tuple(halves))

    def chunks(self) -> tuple[tuple[Chunk, ...], NDArray[np.float64]]:
        """The rows so far, and their iterations; rows never change in a chunk already given."""
        rows, numbers, _ = self._numbered(None)
        start = len(self._numbers) - len(self._settled)
        open_rows, open_numbers = self._settled + rows, self._numbers[start:] + numbers
        numbers = self._numbers + numbers
        last = open_rows[-1] if open_rows else None
        waits = last is not None and self._numbered_inside and not last.headed
        if waits or (last is self.current and self._repeated()):
            # its number has not come yet and may be any; or it says nothing new so far
            open_rows, open_numbers, numbers = open_rows[:-1], open_numbers[:-1], numbers[:-1]
        chunks: list[Chunk] = list(self._sealed)
        if open_rows:
            chunks.append(self._chunk(open_rows, open_numbers))
        return tuple(chunks), np.array(numbers, dtype=np.float64)
