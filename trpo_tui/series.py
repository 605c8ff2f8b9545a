"""A column as charts draw it: on their scale, smoothed, and with the extremes of its blocks at hand,
so that a million rows are drawn from a few thousand numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from runlog.run import Run
from trpo_tui.chart_view import GRAIN, LONG, smoothed


@dataclass(frozen=True, slots=True)
class Extremes:
    """Of stretches of rows: the lowest and highest finite value (inf and −inf where there is none),
    and whether something logged is not finite."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    broken: NDArray[np.bool_]

    def part(self, first: int, last: int) -> "Extremes":
        """Those of some of the stretches."""
        shown = slice(first, last)
        return Extremes(self.low[shown], self.high[shown], self.broken[shown])

    def followed_by(self, other: "Extremes") -> "Extremes":
        """These and then the other's."""
        return Extremes(
            np.append(self.low, other.low),
            np.append(self.high, other.high),
            np.append(self.broken, other.broken),
        )

    def of_every(self, stretches: int) -> "Extremes":
        """Of every so many of these together."""
        starts = np.arange(0, len(self.low), stretches)
        return Extremes(
            np.minimum.reduceat(self.low, starts),
            np.maximum.reduceat(self.high, starts),
            np.logical_or.reduceat(self.broken, starts),
        )


@dataclass(frozen=True, eq=False)
class Series:
    """(n,) values and whether each is there; a value that is there may be NaN."""

    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    _derived: dict[object, "Series"] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """(n,) where there is a number that can be drawn."""
        return np.asarray(self.present & np.isfinite(self.values))

    @property
    def logarithm(self) -> "Series":
        """log₁₀, NaN where the value is not above 0."""
        return self._once("log", self._logarithm)

    def smoothed(self, weight: float) -> "Series":
        """The running mean with that weight of the past, there where a number is."""
        return self._once(weight, lambda: self._smoothed(weight))

    def extremes(self, first: int, last: int, rows: int) -> Extremes:
        """Of every so many rows from row `first` to before `last`: (⌈(last−first)/rows⌉,)."""
        long = len(self) >= LONG and rows % GRAIN == 0 and first % GRAIN == 0
        if not long or last - first < GRAIN:
            shown = slice(first, last)
            return _extremes(self.values[shown], self.finite[shown], self.present[shown], rows)
        whole = last // GRAIN if last < len(self) else len(self._blocks.low)
        found = self._blocks.part(first // GRAIN, whole)
        if whole * GRAIN < last:
            found = found.followed_by(self.extremes(whole * GRAIN, last, GRAIN))
        return found.of_every(rows // GRAIN)

    @cached_property
    def _blocks(self) -> Extremes:
        return _extremes(self.values, self.finite, self.present, GRAIN)

    def _once(self, key: object, make: "Callable[[], Series]") -> "Series":
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = make()
        return found

    def _logarithm(self) -> "Series":
        with np.errstate(divide="ignore", invalid="ignore"):
            return Series(np.where(self.values > 0, np.log10(self.values), np.nan), self.present)

    def _smoothed(self, weight: float) -> "Series":
        mean = smoothed(self.values, self.finite, weight)
        return Series(mean, np.isfinite(mean))


def _extremes(
    values: NDArray[np.float64], finite: NDArray[np.bool_], present: NDArray[np.bool_], rows: int
) -> Extremes:
    if not len(values):
        return Extremes(np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
    low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
    return Extremes(low, high, present & ~finite).of_every(rows)


_KNOWN: WeakKeyDictionary[Run, dict[str, Series]] = WeakKeyDictionary()


def series_of(run: Run, name: str) -> Series:
    """The column of a run, the same Series each time; all absent where the log does not hold it."""
    known = _KNOWN.setdefault(run, {})
    found = known.get(name)
    if found is None:
        column = run.column(name)
        values = np.asarray(column.values, dtype=np.float64)
        found = known[name] = Series(values, column.present)
    return found
