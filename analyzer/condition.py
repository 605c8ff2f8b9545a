"""Conditions over whole columns: data that can be evaluated, printed and asked for its columns.

An answer is an (n,) int8 array: YES, NO or UNKNOWN per row, and the answer at row i uses rows ≤ i
only. An onset is an (n,) int64 array: the row at which the present yes began.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis import Evidence
from analyzer.interval import Flags, Floats, Interval, constant
from analyzer.measure import Measure, Rows, latest
from analyzer.view import View
from runlog.schema import BY_NAME

YES, NO, UNKNOWN = 1, 0, -1
Codes = NDArray[np.int8]
Comparison = Literal["<", "≤", ">", "≥"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a condition says, row by row. answer: (n,) int8. `begins` gives the onset when asked."""

    answer: Codes
    begins: Callable[[], Rows]

    @cached_property
    def onset(self) -> Rows:
        """(n,) int64, valid where the answer is YES."""
        return self.begins()


def streaks(answer: Codes) -> Outcome:
    """An answer of its own at every row; a yes began where the last no ended."""
    return Outcome(answer, lambda: streak_start(answer == YES, answer != UNKNOWN))


def coded(yes: Flags, no: Flags) -> Codes:
    """(n,) YES where yes, else NO where no, else UNKNOWN."""
    return yes.view(np.int8) - (~(yes | no)).view(np.int8)


class Condition(Protocol):
    """Something that can be yes, no or unknown at every row."""

    @property
    def text(self) -> str: ...
    @property
    def measures(self) -> tuple[Measure, ...]: ...
    def evaluate(self, view: View) -> Outcome: ...
    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]: ...


def outcome(condition: Condition, view: View) -> Outcome:
    """What the condition says over the run, evaluated once for each view."""
    kept = view.outcomes.get(id(condition))
    if kept is None:
        kept = view.outcomes[id(condition)] = (condition, condition.evaluate(view))
    found: Outcome = kept[1]
    return found


def streak_start(yes: Flags, known: Flags) -> Rows:
    """(n,) first row of the run of yes that reaches each row; unknown rows do not break it.

    Valid where the latest known answer is a yes.
    """
    rows = np.flatnonzero(known)
    said = yes[rows]
    first = said.copy()
    first[1:] &= ~said[:-1]
    begins = np.zeros(len(yes), dtype=np.int64)
    begins[rows[first]] = rows[first]
    return np.maximum.accumulate(begins) if len(begins) else begins


def _shown(measure: Measure, view: View, row: int) -> tuple[Evidence, ...]:
    """The latest values of the columns behind a measure, as they stand in the log."""
    shown: list[Evidence] = []
    for name in measure.shows:
        column = view.run.column(name)
        text = BY_NAME[name].type == "string"
        at = latest(column.present if text else view[name].present, row)
        if at >= 0:
            shown.append(
                Evidence(
                    measure=name,
                    value=str(column.values[at]) if text else view[name].at(at),
                    comparison="is",
                    bound=None,
                    unit=BY_NAME[name].unit,
                )
            )
    return tuple(shown)


@dataclass(frozen=True, slots=True)
class Check:
    """measure ⋛ bound, where the bound is a number or another measure."""

    measure: Measure
    comparison: Comparison
    bound: float | Measure
    origin: str = ""
    """Why the bound is where it is, one sentence; a measure's formula tells by itself."""

    @property
    def text(self) -> str:
        bound = self.bound.formula if isinstance(self.bound, Measure) else f"{self.bound:g}"
        return f"{self.measure.name} {self.comparison} {bound}"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.measure, self.bound) if isinstance(self.bound, Measure) else (self.measure,)

    def bound_of(self, view: View) -> Interval:
        """(n,) the bound over the run."""
        if isinstance(self.bound, Measure):
            return self.bound.of(view)
        return constant(self.bound, len(view))

    def evaluate(self, view: View) -> Outcome:
        x, known = self.measure.of(view), self.measure.of(view).known
        low: float | Floats
        high: float | Floats
        if isinstance(self.bound, Measure):
            b = self.bound.of(view)
            low, high, known = b.low, b.high, known & b.known & b.finite
        else:
            low = high = self.bound
        with np.errstate(invalid="ignore"):
            if self.comparison == "<":
                yes, no = x.high < low, x.low >= high
            elif self.comparison == "≤":
                yes, no = x.high <= low, x.low > high
            elif self.comparison == ">":
                yes, no = x.low > high, x.high <= low
            else:
                yes, no = x.low >= high, x.high < low
        return streaks(coded(known & yes, known & no))

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        x = self.measure.of(view)
        b = self.bound.of(view) if isinstance(self.bound, Measure) else None
        at = latest(x.present if b is None else x.present & b.present, row)
        if at < 0:
            return ()
        shown = _shown(self.measure, view, row)
        if self.measure.unit == "flag":
            return shown
        return (
            *shown,
            Evidence(
                measure=self.measure.name,
                value=x.at(at),
                comparison=self.comparison,
                bound=self.bound if isinstance(self.bound, float) else self.bound.of(view).at(at),
                unit=self.measure.unit,
            ),
        )


@dataclass(frozen=True, slots=True)
class AtRounding:
    """measure ≤ bound, both at rounding level; a printed 0 counts only in company.

    A number printed as 0 in every digit answers yes when at least one other link of the same row
    prints 0 too; alone it is unknown. `link_zero` are the measures of the links, own one included.
    """

    measure: Measure
    bound: Measure
    company: tuple[Measure, ...]

    @property
    def text(self) -> str:
        return f"{self.measure.name} ≤ {self.bound.formula} (or printed 0 beside another printed 0)"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.measure, self.bound)

    def evaluate(self, view: View) -> Outcome:
        x = self.measure.of(view)
        b = self.bound.of(view).or_else(0.0)
        others = [m.of(view) for m in self.company if m.name != self.measure.name]
        in_company = np.zeros(len(view), dtype=bool)
        for other in others:
            in_company |= other.holds_zero
        full = x.known & ~x.coarse & np.isfinite(b.high)
        yes = (full & (x.high <= b.high)) | (x.coarse & x.holds_zero & in_company)
        no = (full & (x.low > b.high)) | (x.known & x.coarse & ~x.holds_zero & (x.low > b.low))
        return streaks(coded(yes, no))

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        x, b = self.measure.of(view), self.bound.of(view).or_else(0.0)
        at = latest(x.present, row)
        if at < 0:
            return ()
        printed = bool(x.coarse[at])
        return (
            Evidence(
                measure=self.measure.name,
                value=0.0 if printed and x.holds_zero[at] else x.at(at),
                comparison="printed as" if printed and x.holds_zero[at] else "≤",
                bound=0.0 if printed else b.at(at),
                unit=self.measure.unit,
            ),
        )
