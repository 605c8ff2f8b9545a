"""Curves as dots: min–max columns, a range that does not flicker, Braille or ASCII cells. Pure."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, slots=True)
class Columns:
    """One curve over `width` dot columns: lowest and highest value drawn in each, NaN for none.

    `not_finite`: (width,) bool, where a NaN or an infinity was logged (a null is only a gap).
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


def columns(values: NDArray[np.float64], present: NDArray[np.bool_], width: int) -> Columns:
    """Reduce n values to `width` dot columns without losing an extreme."""
    n = len(values)
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    broken = np.zeros(width, dtype=bool)
    if not n or width < 1:
        return Columns(low, high, broken)
    k = scale(n, width)
    rows = np.arange(n)
    place = rows << k if k >= 0 else rows >> -k
    finite = present & np.isfinite(values)
    broken[place[present & ~np.isfinite(values)]] = True
    lows, highs = np.full(width, np.inf), np.full(width, -np.inf)
    np.minimum.at(lows, place[finite], values[finite])
    np.maximum.at(highs, place[finite], values[finite])
    touched = lows <= highs
    low[touched], high[touched] = lows[touched], highs[touched]
    if k > 0:
        _join(low, high, values, finite, k)
    _bridge(low, high)
    return Columns(low, high, broken)


def _join(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    values: NDArray[np.float64],
    finite: NDArray[np.bool_],
    k: int,
) -> None:
    """Straight lines between neighbouring rows, several dot columns apart."""
    step = 1 << k
    for row in np.flatnonzero(finite[:-1] & finite[1:]):
        a, b = values[row], values[row + 1]
        ramp = a + (b / 2 - a / 2) * 2 * np.arange(1, step) / step if abs(b - a) < 1e300 else a
        inner = slice((row << k) + 1, (row + 1) << k)
        low[inner] = high[inner] = ramp


def _bridge(low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """Let neighbouring columns touch, so that a steep curve stays one line."""
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


def spark(values: NDArray[np.float64], present: NDArray[np.bool_], width: int, signs: str) -> str:
    """The curve in one line of `width` cells: the highest value of each cell; a gap is a space."""
    if width < 1 or not len(values):
        return " " * max(0, width)
    buckets = columns(values, present, width)
    filled = buckets.high[np.isfinite(buckets.high)]
    if not len(filled):
        return " " * width
    low, high = float(filled.min()), float(filled.max())
    last = len(signs) - 1
    if low == high:
        heights = np.zeros(width, dtype=np.int64)
    else:
        heights = last - level(buckets.high, low, high, len(signs))
    pairs = zip(heights.tolist(), np.isfinite(buckets.high).tolist(), strict=True)
    return "".join(signs[h] if there else " " for h, there in pairs)
