"""A measure: a named number per iteration, derived from declared columns, with its unit and formula."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.interval import Flags, Interval
from analyzer.view import View
from runlog.schema import BY_NAME

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A named number per iteration, derived from declared columns by `compute`."""

    name: str
    columns: tuple[str, ...]
    unit: str
    formula: str
    compute: Callable[[View], Interval]
    optional: tuple[str, ...] = ()
    """Columns it reads where they exist and can do without."""
    shows: tuple[str, ...] = ()
    """Columns to show as evidence: beside the number, or instead of it where the unit is a flag."""

    def of(self, view: View) -> Interval:
        """(n,) the measure over the run."""
        return view.measure(self.name, self.compute)


def derived(
    name: str,
    unit: str,
    formula: str,
    compute: Callable[[View], Interval],
    columns: str,
    optional: str = "",
    *,
    shows: str = "",
) -> Measure:
    """A measure computed from the columns named, blank-separated."""
    return Measure(
        name=name,
        columns=tuple(columns.split()),
        optional=tuple(optional.split()),
        unit=unit,
        formula=formula,
        compute=compute,
        shows=tuple(shows.split()),
    )


def column(name: str, *, unit: str | None = None) -> Measure:
    """The measure that is a declared column itself."""
    spec = BY_NAME[name]
    return Measure(
        name=name,
        columns=(name,),
        unit=spec.unit if unit is None else unit,
        formula=name,
        compute=lambda view: view[name],
    )


def last_known(known: Flags) -> Rows:
    """(n,) for each row the latest known row at or before it, −1 where there is none."""
    if known.all():
        return np.arange(len(known))
    return np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))


def latest(known: Flags, row: int) -> int:
    """The latest known row at or before `row`, −1 where there is none."""
    if row < 0 or known[row]:
        return row
    before = np.flatnonzero(known[:row])
    return int(before[-1]) if len(before) else -1
