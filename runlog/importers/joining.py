"""TensorBoard's scalars, each with a step of its own, put beside each other as rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runlog.importers.event_series import Series
from runlog.importers.meanings import group_of

_ASIDE = ("progress", "reward")
"""Groups of columns that a trainer may write whenever an episode ends."""

_MOST_RESTARTS = 64
"""Steps that fall back more often come from several workers that write out of turn."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The rows of one stretch of rising steps.

    `steps`: (rows,). `times`: (rows,) Unix seconds of the last scalar of each row. `cells`: by
    column the rows it is known in and its values there.
    """

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    cells: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class _Points:
    order: NDArray[np.int64]
    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def part(self, which: NDArray[np.bool_]) -> "_Points":
        return _Points(self.order[which], self.steps[which], self.times[which], self.values[which])


def joined(series: Mapping[str, Series]) -> Iterator[Joined]:
    """The rows of a log, one stretch for each time its trainer began anew.

    `series`: by column. A row is a step at which something of an update was written, or what is
    written together with that; what has steps of its own goes to the first row at or after it:
    of returns the mean, of others the last.
    """
    points = {
        column: _Points(
            np.array(found.order, dtype=np.int64),
            np.array(found.steps, dtype=np.int64),
            np.array(found.times, dtype=np.float64),
            np.array(found.values, dtype=np.float64),
        )
        for column, found in series.items()
        if len(found)
    }
    if not points:
        return
    leading = [column for column in points if group_of(column) not in _ASIDE] or list(points)
    pace = points[max(leading, key=lambda column: len(points[column].steps))]
    for first, last in _stretches(points, pace):
        part = {
            column: found.part((found.order >= first) & (found.order < last))
            for column, found in points.items()
        }
        yield _rows(part, leading)


def _stretches(points: Mapping[str, _Points], pace: _Points) -> Iterator[tuple[int, int]]:
    """Where stretches begin and end in the order written, told by the steps of one column.

    A stretch begins with the first scalar, of any column, whose step lies below the last of
    the stretch before.
    """
    begin = 0
    falls = np.flatnonzero(np.diff(pace.steps) < 0)
    for at in falls if len(falls) <= _MOST_RESTARTS else ():
        before, after = pace.order[at], pace.order[at + 1]
        cut = int(after)
        for found in points.values():
            lower = (found.order > before) & (found.order < after) & (found.steps < pace.steps[at])
            cut = min(cut, int(found.order[lower].min(initial=cut)))
        yield begin, cut
        begin = cut
    yield begin, 1 + max(int(found.order[-1]) for found in points.values())


def _rows(points: Mapping[str, _Points], leading: list[str]) -> Joined:
    steps = np.unique(np.concatenate([points[column].steps for column in leading]))
    together = [
        found.steps
        for column, found in points.items()
        if column not in leading
        and len(found.steps)
        and 2 * np.isin(np.unique(found.steps), steps).sum() >= len(np.unique(found.steps))
    ]
    steps = np.unique(np.concatenate([steps, *together]))
    times = np.full(len(steps), -np.inf)
    cells = {}
    for column, found in points.items():
        row = np.searchsorted(steps, found.steps)
        known = found.part(row < len(steps))
        row = row[row < len(steps)]
        np.maximum.at(times, row, known.times)
        # by row, and within one in the order written
        by_row = np.lexsort((known.order, row))
        row, values = row[by_row], known.values[by_row]
        ends = np.flatnonzero(np.diff(row, append=len(steps)))
        if group_of(column) == "reward" and len(ends) < len(row):
            counts = np.diff(ends, prepend=-1)
            means = np.add.reduceat(values, np.append(0, ends[:-1] + 1)) / counts
            cells[column] = row[ends], means
        else:
            cells[column] = row[ends], values[ends]
    return Joined(steps, times, cells)
