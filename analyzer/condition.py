"""Conditions over whole columns: data that can be evaluated, printed and asked for its columns.

An answer is an (n,) int8 array: YES, NO or UNKNOWN per row, and the answer at row i uses rows ≤ i
only. An onset is an (n,) int64 array: the row at which the present yes began.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis import Evidence
from analyzer.interval import Flags, Interval, constant
from analyzer.view import View
from runlog.schema import BY_NAME

YES, NO, UNKNOWN = 1, 0, -1
Codes = NDArray[np.int8]
Rows = NDArray[np.int64]
Comparison = Literal["<", "≤", ">", "≥"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a condition says, row by row. answer: (n,) int8; onset: (n,) int64, valid where YES."""

    answer: Codes
    onset: Rows


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


def _shown(measure: Measure, view: View, row: int) -> tuple[Evidence, ...]:
    """The latest values of the columns behind a measure, as they stand in the log."""
    shown: list[Evidence] = []
    for name in measure.shows:
        x = view[name]
        at = latest(x.present, row)
        if at >= 0:
            shown.append(
                Evidence(
                    measure=name,
                    value=x.at(at),
                    comparison="is",
                    bound=None,
                    unit=BY_NAME[name].unit,
                )
            )
    return tuple(shown)


class Condition(Protocol):
    """Something that can be yes, no or unknown at every row."""

    @property
    def text(self) -> str: ...
    @property
    def measures(self) -> tuple[Measure, ...]: ...
    def evaluate(self, view: View) -> Outcome: ...
    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]: ...


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


def outcome(condition: Condition, view: View) -> Outcome:
    """What the condition says over the run, evaluated once for each view."""
    kept = view.outcomes.get(id(condition))
    if kept is None:
        kept = view.outcomes[id(condition)] = (condition, condition.evaluate(view))
    found: Outcome = kept[1]
    return found


def last_known(known: Flags) -> Rows:
    """(n,) for each row the latest known row at or before it, −1 where there is none."""
    rows = np.where(known, np.arange(len(known)), -1)
    return np.maximum.accumulate(rows) if len(rows) else rows


def latest(known: Flags, row: int) -> int:
    """The latest known row at or before `row`, −1 where there is none."""
    if row < 0 or known[row]:
        return row
    before = np.flatnonzero(known[:row])
    return int(before[-1]) if len(before) else -1


def _streak_start(yes: Flags, known: Flags) -> Rows:
    """(n,) first row of the run of yes that reaches each row; unknown rows do not break it."""
    broken = known & ~yes
    last_no = last_known(broken)
    rows = np.arange(len(yes))
    first = np.full(len(yes) + 1, len(yes))
    # next yes at or after each row, computed backwards
    first[:-1] = np.where(yes, rows, len(yes))
    upcoming = np.minimum.accumulate(first[::-1])[::-1]
    return np.asarray(upcoming[last_no + 1], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Check:
    """measure ⋛ bound, where the bound is a number or another measure."""

    measure: Measure
    comparison: Comparison
    bound: float | Measure

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
        x, b = self.measure.of(view), self.bound_of(view)
        known = x.known & b.known
        with np.errstate(invalid="ignore"):
            if self.comparison == "<":
                yes, no = x.high < b.low, x.low >= b.high
            elif self.comparison == "≤":
                yes, no = x.high <= b.low, x.low > b.high
            elif self.comparison == ">":
                yes, no = x.low > b.high, x.high <= b.low
            else:
                yes, no = x.low >= b.high, x.high < b.low
        answer = np.where(known & yes, YES, np.where(known & no, NO, UNKNOWN)).astype(np.int8)
        return Outcome(answer, _streak_start(answer == YES, answer != UNKNOWN))

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
        full = x.known & ~x.coarse
        yes = (full & (x.high <= b.high)) | (x.coarse & x.holds_zero & in_company)
        no = (full & (x.low > b.high)) | (x.known & x.coarse & ~x.holds_zero & (x.low > b.low))
        answer = np.where(yes, YES, np.where(no, NO, UNKNOWN)).astype(np.int8)
        return Outcome(answer, _streak_start(answer == YES, answer != UNKNOWN))

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


@dataclass(frozen=True, slots=True)
class Recent:
    """The condition held in at least `need` of the last `of` rows in which it could be judged.

    An answer is carried over rows that cannot be judged, for at most `stale` rows.
    """

    condition: Condition
    need: int
    of: int
    stale: int = 50

    @property
    def text(self) -> str:
        much = f"{self.need} iterations" if self.need == self.of else f"{self.need} of {self.of}"
        return f"({self.condition.text}) in the last {much}"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.condition.measures

    def evaluate(self, view: View) -> Outcome:
        base = outcome(self.condition, view)
        n = len(view)
        rows = np.flatnonzero(base.answer != UNKNOWN)
        answer = np.full(n, UNKNOWN, dtype=np.int8)
        onset = np.zeros(n, dtype=np.int64)
        if not len(rows):
            return Outcome(answer, onset)
        yes = base.answer[rows] == YES
        total = np.concatenate(([0], np.cumsum(yes)))
        k = np.arange(len(rows))
        start = np.maximum(k - self.of + 1, 0)
        count = total[k + 1] - total[start]
        early = (k + 1 < self.need) & (count == k + 1)  # all yes so far, but too few
        judged = np.where(count >= self.need, YES, np.where(early, UNKNOWN, NO))
        # The segment of yes began with the first bad row inside the window that first said yes.
        fired = judged == YES
        begins = fired & ~np.concatenate(([False], fired[:-1]))
        next_yes = np.concatenate((np.where(yes, k, len(k)), [len(k)]))
        next_yes = np.minimum.accumulate(next_yes[::-1])[::-1]
        segment = last_known(begins)
        first = np.where(segment >= 0, next_yes[start[np.maximum(segment, 0)]], 0)
        if self.need == self.of:
            first = _streak_start(yes, np.ones(len(yes), dtype=bool))
        first = np.minimum(first, len(rows) - 1)
        at = last_known(base.answer != UNKNOWN)
        position = np.searchsorted(rows, at)
        fresh = (at >= 0) & (np.arange(n) - at <= self.stale)
        answer[fresh] = judged[position[fresh]]
        onset[fresh] = rows[first[position[fresh]]]
        return Outcome(answer, onset)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        return self.condition.evidence(view, row)


@dataclass(frozen=True, slots=True)
class Lasting:
    """The condition has held without a break for `iterations` iterations, by their numbers.

    In a foreign log whose first row already shows it, iterations before that row count as like it.
    """

    condition: Condition
    iterations: int

    @property
    def text(self) -> str:
        return f"({self.condition.text}) for {self.iterations} iterations"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.condition.measures

    def evaluate(self, view: View) -> Outcome:
        base = outcome(self.condition, view)
        yes, known = base.answer == YES, base.answer != UNKNOWN
        start = np.minimum(_streak_start(yes, known), max(len(view) - 1, 0))
        numbers = view.iterations.middle
        before = np.where(view.imported & (start == 0), 1.0, numbers[start] if len(view) else 0.0)
        at = last_known(known)
        latest = np.maximum(at, 0)
        long_enough = numbers - before + 1.0 >= self.iterations
        seen = at >= 0
        answer = np.where(
            seen & yes[latest], np.where(long_enough, YES, UNKNOWN), np.where(seen, NO, UNKNOWN)
        ).astype(np.int8)
        return Outcome(answer, start)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        return self.condition.evidence(view, row)


@dataclass(frozen=True, slots=True)
class All:
    """Every condition holds. The first is the rule's own measure and gives the onset."""

    conditions: tuple[Condition, ...]

    @property
    def text(self) -> str:
        return " and ".join(c.text for c in self.conditions)

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(m for c in self.conditions for m in c.measures)

    def evaluate(self, view: View) -> Outcome:
        parts = [outcome(c, view) for c in self.conditions]
        answers = np.stack([p.answer for p in parts])
        no, unknown = (answers == NO).any(axis=0), (answers == UNKNOWN).any(axis=0)
        answer = np.where(no, NO, np.where(unknown, UNKNOWN, YES)).astype(np.int8)
        return Outcome(answer, parts[0].onset)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        return tuple(e for c in self.conditions for e in c.evidence(view, row))


@dataclass(frozen=True, slots=True)
class Either:
    """One detector of several fires; a no from one stands where the others cannot be judged."""

    conditions: tuple[Condition, ...]

    @property
    def text(self) -> str:
        return " or ".join(f"[{c.text}]" for c in self.conditions)

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(m for c in self.conditions for m in c.measures)

    def evaluate(self, view: View) -> Outcome:
        parts = [outcome(c, view) for c in self.conditions]
        answers = np.stack([p.answer for p in parts])
        yes, no = (answers == YES).any(axis=0), (answers == NO).any(axis=0)
        answer = np.where(yes, YES, np.where(no, NO, UNKNOWN)).astype(np.int8)
        never = len(view)
        onsets = np.stack([np.where(p.answer == YES, p.onset, never) for p in parts])
        return Outcome(answer, np.minimum(onsets.min(axis=0), max(never - 1, 0)))

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        """Of the detectors that fire; of all that can be judged where none does."""
        answers = [(c, int(outcome(c, view).answer[row])) for c in self.conditions]
        firing = [c for c, answer in answers if answer == YES]
        judged = firing or [c for c, answer in answers if answer != UNKNOWN]
        return tuple(e for c in judged for e in c.evidence(view, row))


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that must hold for the rule to make sense, but is no evidence of its own."""

    condition: Condition

    @property
    def text(self) -> str:
        return self.condition.text

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.condition.measures

    def evaluate(self, view: View) -> Outcome:
        return outcome(self.condition, view)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:  # noqa: ARG002
        return ()


def lacking(condition: Condition, holds: Callable[[str], bool]) -> tuple[str, ...]:
    """Columns the log would have to hold for this condition to be judged; of alternatives, those
    of the one that lacks fewest."""
    match condition:
        case Either(conditions=parts):
            return min((lacking(part, holds) for part in parts), key=len)
        case All(conditions=parts):
            return tuple(dict.fromkeys(name for part in parts for name in lacking(part, holds)))
        case Recent(condition=inner) | Lasting(condition=inner) | Gate(condition=inner):
            return lacking(inner, holds)
    names = (name for measure in condition.measures for name in measure.columns)
    return tuple(dict.fromkeys(name for name in names if not holds(name)))
