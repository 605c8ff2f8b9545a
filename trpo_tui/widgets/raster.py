"""Curves as dots: min–max columns, a range that does not flicker, Braille or ASCII cells. Pure."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trpo_tui.series import Series

_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, slots=True)
class Columns:
    """One curve over `width` dot columns: lowest and highest value drawn in each, NaN for none.

    `not_finite`: (width,) bool, where a NaN or an infinity was logged.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    not_finite: NDArray[np.bool_]


def scale(n: int, width: int) -> int:
    """Power k: a row is 2**k dot columns wide (negative: 2**-k rows share one).

    A power of two, so that a growing run keeps its place on the screen until it doubles.
    """
    if n <= 1:
        return 0
    if width < 2:
        return -(n - 1).bit_length()
    return math.floor(math.log2((width - 1) / (n - 1)))


def column_of(row: int, n: int, width: int) -> int:
    """The dot column in which row `row` of n lies."""
    k = scale(n, width)
    return row << k if k >= 0 else row >> -k


def places(n: int, width: int) -> NDArray[np.int64]:
    """(n,) the dot column of each row."""
    k = scale(n, width)
    rows = np.arange(n)
    return rows << k if k >= 0 else rows >> -k


def along(
    positions: NDArray[np.float64], width: int, ends: tuple[float, float] | None = None
) -> NDArray[np.int64]:
    """(n,) the dot column of each row on a linear axis from one end to the other (None: those of
    the positions); a position that is missing or runs back stays where the row before it was."""
    known = np.isfinite(positions)
    if not known.any():
        return places(len(positions), width)
    first, last = ends or (float(positions[known][0]), float(positions[known].max()))
    risen = np.maximum.accumulate(np.where(known, positions, float(positions[known][0])))
    share = (risen - first) / (last - first) if last > first else np.zeros(len(risen))
    return np.asarray(np.floor(np.clip(share, 0.0, 1.0) * (width - 1)), dtype=np.int64)


def columns(
    series: Series,
    rows: tuple[int, int],
    width: int,
    place: NDArray[np.int64] | None = None,
) -> Columns:
    """Reduce the rows from the first to before the last to `width` dot columns, losing no extreme.

    Values on both sides of rows without one are joined: a mean is null where no episode ended. A NaN
    or an infinity is a gap. Neighbouring columns touch, so that a steep curve stays one line.

    `place`: the dot column of each of them, never falling; None spaces them evenly.
    """
    found = _joined(series, rows, width, place)
    _bridge(found.low, found.high)
    return found


def _joined(
    series: Series, rows: tuple[int, int], width: int, place: NDArray[np.int64] | None = None
) -> Columns:
    first, last = rows
    n = last - first
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    broken = np.zeros(width, dtype=bool)
    if n < 1 or width < 1:
        return Columns(low, high, broken)
    k = scale(n, width)
    if place is None and k <= 0:
        found = series.extremes(first, last, 1 << -k)
        at = np.arange(len(found.low))
        broken[at] = found.broken
        lows, highs = found.low, found.high
    else:
        place = places(n, width) if place is None else place
        values, finite = series.values[first:last], series.finite[first:last]
        broken[place[series.present[first:last] & ~finite]] = True
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        at = place[starts]
        lows = np.minimum.reduceat(np.where(finite, values, np.inf), starts)
        highs = np.maximum.reduceat(np.where(finite, values, -np.inf), starts)
    touched = lows <= highs
    low[at[touched]], high[at[touched]] = lows[touched], highs[touched]
    _join(low, high, broken)
    return Columns(low, high, broken)


def _join(low: NDArray[np.float64], high: NDArray[np.float64], broken: NDArray[np.bool_]) -> None:
    """Straight lines over dot columns that hold no row or only nulls, unless a NaN lies between."""
    known = np.flatnonzero(np.isfinite(low))
    for left in np.flatnonzero(np.diff(known) > 1).tolist():
        first, last = int(known[left]), int(known[left + 1])
        inner = slice(first + 1, last)
        if broken[inner].any():
            continue
        a = low[first] / 2 + high[first] / 2
        b = low[last] / 2 + high[last] / 2
        share = np.arange(1, last - first) / (last - first)
        low[inner] = high[inner] = a + (b / 2 - a / 2) * 2 * share if abs(b - a) < 1e300 else a


def _bridge(low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """Let neighbouring columns touch."""
    left_low, left_high = low[:-1].copy(), high[:-1].copy()
    right_low, right_high = low[1:], high[1:]
    both = np.isfinite(left_low) & np.isfinite(right_low)
    rise, fall = both & (right_low > left_high), both & (right_high < left_low)
    right_low[rise] = left_high[rise]
    right_high[fall] = left_low[fall]


def nice_range(low: float, high: float) -> tuple[float, float]:
    """A range with round ends that holds both; it moves in steps, so a live axis stands still."""
    if low == high:
        pad = abs(low) * 0.5 or 1.0
        low, high = low - pad if low > -1e308 else low, high + pad if high < 1e308 else high
    span = high / 4 - low / 4  # a quarter, because high - low itself may overflow
    power = 10.0 ** max(-300, math.floor(math.log10(span))) if span > 0 else 1.0
    step = next((m * power for m in (1.0, 2.0, 5.0) if m * power >= span), 10 * power)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    if not (math.isfinite(bottom) and math.isfinite(top)) or bottom >= top:
        return low, high
    return bottom, top


def level(value: NDArray[np.float64], low: float, high: float, dots: int) -> NDArray[np.int64]:
    """Dot row, 0 at the top, of each value; halves, because a difference may overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        share = (value / 2 - low / 2) / (high / 2 - low / 2)
    share = np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0)
    return np.rint((1.0 - share) * (dots - 1)).astype(np.int64)


def dots(curve: Columns, low: float, high: float, width: int, height: int) -> NDArray[np.bool_]:
    """(height, width) dots set where the curve runs."""
    drawn = np.isfinite(curve.low)
    top = level(curve.high, low, high, height)
    bottom = level(curve.low, low, high, height)
    rows = np.arange(height)[:, None]
    grid: NDArray[np.bool_] = (rows >= top[None, :width]) & (rows <= bottom[None, :width])
    return grid & drawn[None, :width]


def braille(grid: NDArray[np.bool_]) -> list[str]:
    """(4h, 2w) dots as h lines of w Braille characters; a blank cell is a space."""
    height, width = grid.shape[0] // 4, grid.shape[1] // 2
    codes = np.zeros((height, width), dtype=np.int64)
    for y in range(4):
        for x in range(2):
            codes += grid[y : height * 4 : 4, x : width * 2 : 2] * _BRAILLE[y][x]
    return ["".join(chr(0x2800 + c) if c else " " for c in line) for line in codes.tolist()]


def ascii_cells(grid: NDArray[np.bool_]) -> list[str]:
    """(2h, w) dots as h lines: `'` upper half, `.` lower half, `:` both."""
    signs = " '.:"
    upper, lower = grid[0::2], grid[1::2]
    codes = upper.astype(np.int64) + 2 * lower.astype(np.int64)
    return ["".join(signs[c] for c in line) for line in codes.tolist()]


def spark(series: Series, rows: int, width: int, signs: str) -> str:
    """The first rows in one line of `width` cells: the highest value of each; a NaN is a space."""
    return strip(_joined(series, (0, rows), max(0, width)).high, signs)


def strip(values: NDArray[np.float64], signs: str) -> str:
    """A sign a value, from the lowest to the highest; a NaN is a space."""
    filled = values[np.isfinite(values)]
    if not len(filled):
        return " " * len(values)
    low, high = float(filled.min()), float(filled.max())
    last = len(signs) - 1
    if low == high:
        heights = np.zeros(len(values), dtype=np.int64)
    else:
        heights = last - level(values, low, high, len(signs))
    pairs = zip(heights.tolist(), np.isfinite(values).tolist(), strict=True)
    return "".join(signs[h] if there else " " for h, there in pairs)
