"""A column as what is known of it: a printed number is an interval half a digit wide on each side."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """n numbers, each known to lie in [low, high]; `present` is False where there is none.

    low, high: (n,) float64, equal for full-precision numbers. A computed NaN is present with
    low = high = NaN; every comparison with it is unknown, never a silent no.
    """

    low: Floats
    high: Floats
    present: Flags

    def __len__(self) -> int:
        return len(self.present)

    @property
    def is_exact(self) -> bool:
        """Whether every number is known to the last digit, so that one array is both ends."""
        return self.low is self.high

    @property
    def middle(self) -> Floats:
        if self.is_exact:
            return self.low
        with np.errstate(invalid="ignore"):
            return 0.5 * (self.low + self.high)

    def at(self, row: int) -> float:
        """The middle of one row's interval. A NaN is always the one NaN of math, so that two
        diagnoses of the same numbers are equal."""
        with np.errstate(invalid="ignore"):
            value = float(0.5 * (self.low[row] + self.high[row]))
        return math.nan if math.isnan(value) else value

    @property
    def known(self) -> Flags:
        """Present and no NaN."""
        ends = ~np.isnan(self.low)
        return self.present & (ends if self.is_exact else ends & ~np.isnan(self.high))

    @property
    def finite(self) -> Flags:
        """Neither NaN nor infinite, whether present or not."""
        ends = np.isfinite(self.low)
        return ends if self.is_exact else ends & np.isfinite(self.high)

    @property
    def coarse(self) -> Flags:
        """Printed with few enough digits that the number is a range."""
        return np.zeros(len(self), dtype=bool) if self.is_exact else self.high > self.low

    @property
    def holds_zero(self) -> Flags:
        """Zero as far as its digits tell: exactly 0, or printed as 0 in every digit."""
        return self.known & (self.low <= 0.0) & (self.high >= 0.0)

    def where(self, keep: Flags) -> "Interval":
        """The same numbers, absent where `keep` is False."""
        return Interval(self.low, self.high, self.present & keep)

    def or_else(self, other: "Interval | float") -> "Interval":
        """The same numbers, and the other's where these are absent."""
        b = _lift(other, len(self))
        low = np.where(self.present, self.low, b.low)
        both = self.is_exact and b.is_exact
        high = low if both else np.where(self.present, self.high, b.high)
        return Interval(low, high, self.present | b.present)

    def larger(self, other: "Interval | float") -> "Interval":
        """The larger of the two row by row; the one that is there where the other is not."""
        b = _lift(other, len(self))
        both = self.present & b.present
        low = np.where(self.present, self.low, b.low)
        low = np.where(both, np.maximum(self.low, b.low), low)
        if self.is_exact and b.is_exact:
            return exact(low, self.present | b.present)
        high = np.where(self.present, self.high, b.high)
        high = np.where(both, np.maximum(self.high, b.high), high)
        return Interval(low, high, self.present | b.present)

    def __neg__(self) -> "Interval":
        if self.is_exact:
            return exact(-self.low, self.present)
        return Interval(-self.high, -self.low, self.present)

    def __add__(self, other: "Interval | float") -> "Interval":
        b = _lift(other, len(self))
        if self.is_exact and b.is_exact:
            return exact(self.low + b.low, self.present & b.present)
        return Interval(self.low + b.low, self.high + b.high, self.present & b.present)

    def __sub__(self, other: "Interval | float") -> "Interval":
        return self + (-_lift(other, len(self)))

    def __rsub__(self, other: float) -> "Interval":
        return _lift(other, len(self)) - self

    def __mul__(self, other: "Interval | float") -> "Interval":
        b = _lift(other, len(self))
        with np.errstate(all="ignore"):
            if self.is_exact and b.is_exact:
                return exact(self.low * b.low, self.present & b.present)
            ends = np.stack(
                (self.low * b.low, self.low * b.high, self.high * b.low, self.high * b.high)
            )
        return Interval(ends.min(axis=0), ends.max(axis=0), self.present & b.present)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: "Interval | float") -> "Interval":
        b = _lift(other, len(self))
        with np.errstate(all="ignore"):
            if self.is_exact and b.is_exact:
                return exact(self.low * (1.0 / b.low), self.present & b.present)
            inverse = Interval(1.0 / b.high, 1.0 / b.low, b.present)
            through_zero = (b.low < 0.0) & (b.high > 0.0)
            touches = ((b.low == 0.0) | (b.high == 0.0)) & (b.high > b.low)
            low = np.where(through_zero, -np.inf, inverse.low)
            high = np.where(through_zero, np.inf, inverse.high)
            # An end that is exactly 0 belongs to numbers of the other end's sign.
            low = np.where(touches & (b.high == 0.0), -np.inf, low)
            high = np.where(touches & (b.low == 0.0), np.inf, high)
        return self * Interval(low, high, b.present)

    def __rtruediv__(self, other: float) -> "Interval":
        return _lift(other, len(self)) / self

    def abs(self) -> "Interval":
        """|x|."""
        if self.is_exact:
            return exact(np.abs(self.low), self.present)
        straddles = (self.low < 0.0) & (self.high > 0.0)
        ends = np.stack((np.abs(self.low), np.abs(self.high)))
        return Interval(np.where(straddles, 0.0, ends.min(axis=0)), ends.max(axis=0), self.present)

    def square(self) -> "Interval":
        """x²."""
        if self.is_exact:
            return exact(self.low**2, self.present)
        size = self.abs()
        return Interval(size.low**2, size.high**2, self.present)

    def sqrt(self) -> "Interval":
        """√x; NaN where x < 0."""
        with np.errstate(all="ignore"):
            if self.is_exact:
                return exact(np.sqrt(self.low), self.present)
            low = np.sqrt(np.where(self.coarse, np.maximum(self.low, 0.0), self.low))
            return Interval(low, np.sqrt(self.high), self.present)

    def exp(self) -> "Interval":
        """eˣ."""
        with np.errstate(all="ignore"):
            if self.is_exact:
                return exact(np.exp(self.low), self.present)
            return Interval(np.exp(self.low), np.exp(self.high), self.present)


def constant(value: float, n: int) -> Interval:
    """The same full-precision number n times."""
    return exact(np.broadcast_to(np.float64(value), n), np.broadcast_to(np.True_, n))


def exact(values: NDArray[Any], present: Flags) -> Interval:
    """Full-precision numbers."""
    numbers = np.asarray(values, dtype=np.float64)
    return Interval(numbers, numbers, present)


def largest(first: Interval, *more: Interval) -> Interval:
    """The largest of the parts that are present, row by row."""
    for part in more:
        first = first.larger(part)
    return first


def _lift(value: "Interval | float", n: int) -> Interval:
    return value if isinstance(value, Interval) else constant(float(value), n)
