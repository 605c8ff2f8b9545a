"""What a run has shown up to each row."""

import numpy as np

from analyzer.interval import Flags, Floats, Interval
from analyzer.view import View


def running_max(values: Floats, known: Flags) -> Floats:
    """(n,) largest known value so far, −inf before the first."""
    return np.maximum.accumulate(np.where(known, values, -np.inf)) if len(values) else values


def ever(flags: Flags) -> Flags:
    """(n,) True from the first True on."""
    seen = np.zeros(len(flags), dtype=bool)
    if flags.any():
        seen[flags.argmax() :] = True
    return seen


def so_far(x: Interval) -> Interval:
    """The largest number so far; absent before the first."""
    seen = ever(x.known)
    low = running_max(x.low, x.known)
    return Interval(low, low if x.is_exact else running_max(x.high, x.known), seen)


def varied(view: View, name: str) -> Flags:
    """Where the column has been seen at two values more than 1 % apart, and beyond its digits."""
    x = view[name]
    top = running_max(x.low, x.known)
    bottom = -running_max(-x.high, x.known)
    with np.errstate(invalid="ignore"):
        return np.asarray((top - bottom) > 0.01 * np.maximum(np.abs(top), np.abs(bottom)))
