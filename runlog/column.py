"""One column of a run: its values and which of them are there, null and NaN kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from runlog.schema import BY_NAME

AnyColumn = TypeVar("AnyColumn", "Column", "ListColumn")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of n rows.

    `values`: (n,) float64 for numbers and flags, object for text; a cell that is null holds NaN or None.
    `present`: (n,) bool, False where the cell is null; a NaN that was computed is present.
    `resolution`: (n,) float64, half a unit of the last printed digit; None means full precision.
    """

    values: NDArray[Any]
    present: NDArray[np.bool_]
    resolution: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.present)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of n lists of numbers.

    `values`: (total,) float64, all lists end to end. `offsets`: (n + 1,) int64; list i is
    `values[offsets[i]:offsets[i + 1]]`. `present`: (n,) bool, False where the list is null.
    `entry_present`: (total,) bool, False where an entry inside a list is null (its value is NaN).
    """

    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    present: NDArray[np.bool_]
    entry_present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, i: int) -> NDArray[np.float64]:
        return self.values[self.offsets[i] : self.offsets[i + 1]]


def frozen(column: AnyColumn) -> AnyColumn:
    """The same column, its arrays no longer writable: a run does not change."""
    for field_ in fields(column):
        array = getattr(column, field_.name)
        if array is not None:
            array.setflags(write=False)
    return column


def absent(name: str, n: int) -> Column:
    """n null cells of the column of that name."""
    text = name in BY_NAME and BY_NAME[name].type == "string"
    values = np.full(n, None, dtype=object) if text else np.full(n, np.nan)
    return Column(values, np.zeros(n, dtype=bool))


def absent_lists(n: int) -> ListColumn:
    """n null lists."""
    nothing = np.empty(0)
    return ListColumn(
        nothing, np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=bool), nothing.astype(bool)
    )


def joined(parts: Sequence[Column], *, text: bool) -> Column:
    """Columns end to end."""
    if len(parts) == 1:
        return parts[0]
    resolution = None
    if any(p.resolution is not None for p in parts):
        resolution = np.concatenate(
            [np.zeros(len(p)) if p.resolution is None else p.resolution for p in parts]
        )
    return Column(
        np.concatenate([p.values.astype(object) if text else p.values for p in parts]),
        np.concatenate([p.present for p in parts]),
        resolution,
    )


def joined_lists(parts: Sequence[ListColumn]) -> ListColumn:
    """Columns of lists end to end."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0] + [len(p.values) for p in parts])
    offsets = np.concatenate(
        [p.offsets[:-1] + start for p, start in zip(parts, starts, strict=False)] + [starts[-1:]]
    ).astype(np.int64)
    return ListColumn(
        np.concatenate([p.values for p in parts]),
        offsets,
        np.concatenate([p.present for p in parts]),
        np.concatenate([p.entry_present for p in parts]),
    )


def taken(column: Column, rows: NDArray[np.int64]) -> Column:
    """Those rows of a column, in that order."""
    halves = None if column.resolution is None else column.resolution[rows]
    return Column(column.values[rows], column.present[rows], halves)


def taken_lists(column: ListColumn, rows: NDArray[np.int64]) -> ListColumn:
    """Those rows of a column of lists, in that order."""
    lengths = np.diff(column.offsets)[rows]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    index = np.repeat(column.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return ListColumn(
        column.values[index], offsets, column.present[rows], column.entry_present[index]
    )
