"""A column or a measure over the iterations, with its bounds, as a chart or a sparkline draws it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.condition import AtRounding, Check
from analyzer.interval import Flags, Floats, Interval
from analyzer.measure import Measure, Rows
from analyzer.reports.wording import number
from analyzer.view import View
from runlog.schema import BY_NAME

_DECADES = 3.0
"""Positive numbers that span more powers of ten than this are drawn on a logarithmic axis."""
_BLOCKS = "▁▂▃▄▅▆▇█"
NOTHING, NOT_FINITE = "·", "×"
"""Cells of a sparkline without a number, and with one that is NaN or infinite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bound:
    """What a series is compared with. values: (n,) float64, NaN where there is none."""

    label: str
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """values: (n,) float64, NaN where null or not finite. broken: (n,) True where not finite."""

    name: str
    unit: str
    meaning: str
    values: Floats
    broken: Flags
    bounds: tuple[Bound, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the log holds no value at all, not even a NaN."""
        return not bool(self.broken.any() or np.isfinite(self.values).any())

    @property
    def logarithmic(self) -> bool:
        """Whether its numbers are told apart only on a logarithmic axis."""
        known = self.values[np.isfinite(self.values)]
        return bool(len(known) and known.min() > 0.0) and bool(
            np.log10(known.max()) - np.log10(known.min()) > _DECADES
        )

    @property
    def extent(self) -> tuple[float, float] | None:
        """Smallest and largest finite number."""
        known = self.values[np.isfinite(self.values)]
        return (float(known.min()), float(known.max())) if len(known) else None

    @property
    def last(self) -> float | None:
        """The last value, NaN where it was not finite; None where there is none."""
        rows = np.flatnonzero(np.isfinite(self.values) | self.broken)
        return float(self.values[rows[-1]]) if len(rows) else None


def _series(name: str, unit: str, meaning: str, x: Interval, bounds: tuple[Bound, ...]) -> Series:
    values = np.where(x.present, x.middle, np.nan)
    broken = x.present & ~np.isfinite(values)
    values = np.where(np.isfinite(values), values, np.nan)
    return Series(
        name=name, unit=unit, meaning=meaning, values=values, broken=broken, bounds=bounds
    )


def logged(view: View, name: str) -> Series:
    """A column as it stands in the log; KL with the limit in force."""
    spec = BY_NAME.get(name)
    bounds: tuple[Bound, ...] = ()
    if name == "kl" and view["max_kl"].known.any():
        limit = view["max_kl"]
        bounds = (Bound(label="max_kl", values=np.where(limit.known, limit.middle, np.nan)),)
    unit, meaning = (spec.unit, spec.meaning) if spec else ("", "")
    return _series(name, unit, meaning, view[name], bounds)


def measured(view: View, measure: Measure, condition: object) -> Series:
    """A measure of a rule, with what the rule's condition compares it with."""
    bounds = tuple(
        _bound(check, view) for check in _checks(condition) if check.measure.name == measure.name
    )
    meaning = "" if measure.formula == measure.name else f"{measure.name} = {measure.formula}"
    spec = BY_NAME.get(measure.name)
    return _series(
        measure.name,
        measure.unit,
        meaning or (spec.meaning if spec else ""),
        measure.of(view),
        bounds,
    )


def _checks(condition: Any) -> Iterator[Check | AtRounding]:
    """The comparisons a condition is made of."""
    if isinstance(condition, Check | AtRounding):
        yield condition
    inner = getattr(condition, "condition", None)
    for part in (*getattr(condition, "conditions", ()), *((inner,) if inner else ())):
        yield from _checks(part)


def _bound(check: Check | AtRounding, view: View) -> Bound:
    comparison = check.comparison if isinstance(check, Check) else "≤"
    if isinstance(check.bound, Measure):
        x = check.bound.of(view)
        label, values = check.bound.name, np.where(x.known, x.middle, np.nan)
    else:
        label, values = number(check.bound), np.full(len(view), check.bound)
    return Bound(
        label=f"{comparison} {label}", values=np.where(np.isfinite(values), values, np.nan)
    )


def axis(view: View) -> Floats:
    """(n,) what the rows are drawn over: iteration numbers, or row numbers where these do not rise."""
    numbers = view.iterations.middle
    rising = bool((np.diff(numbers) > 0.0).all())
    return numbers if rising else np.arange(1.0, len(numbers) + 1.0)


def thinned(values: Floats, points: int) -> Rows:
    """(m,) at most about `points` rows that draw the same line: of every bin the least and the
    largest, so that no spike is lost; all rows where they are few."""
    n = len(values)
    if n <= points:
        return np.arange(n)
    size = -(-2 * n // points)
    bins = -(-n // size)
    padded = np.full(bins * size, np.nan)
    padded[:n] = values
    grid = padded.reshape(bins, size)
    starts = np.arange(bins) * size
    least = starts + np.where(np.isnan(grid), np.inf, grid).argmin(axis=1)
    largest = starts + np.where(np.isnan(grid), -np.inf, grid).argmax(axis=1)
    return np.unique(np.concatenate(([0], least, largest, [n - 1])))


def sparkline(series: Series, width: int = 32) -> str:
    """The series in at most `width` blocks, each the mean of its iterations."""
    n = len(series.values)
    if not n:
        return ""
    of = np.arange(n) * min(width, n) // n  # (n,) the cell of each row
    values = np.log10(series.values) if series.logarithmic else series.values
    known = np.isfinite(values)
    count = np.bincount(of, weights=known)
    total = np.bincount(of, weights=np.where(known, values, 0.0))
    broken = np.bincount(of, weights=series.broken) > 0
    with np.errstate(invalid="ignore"):
        mean = total / count
    seen = mean[count > 0]
    low, high = (seen.min(), seen.max()) if len(seen) else (0.0, 0.0)
    cells = []
    for value, here, bad in zip(mean, count > 0, broken, strict=True):
        if bad or not here:
            cells.append(NOT_FINITE if bad else NOTHING)
        elif high > low:
            cells.append(_BLOCKS[round(7 * float((value - low) / (high - low)))])
        else:
            cells.append(_BLOCKS[3])
    return "".join(cells)
