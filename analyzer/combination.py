"""Conditions made of conditions: lasting, recent, all of several, one of several, gates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.condition import (
    NO,
    UNKNOWN,
    YES,
    Codes,
    Condition,
    Outcome,
    coded,
    outcome,
    streak_start,
    streaks,
)
from analyzer.diagnosis import Evidence
from analyzer.interval import Flags
from analyzer.measure import Measure, Rows, last_known
from analyzer.view import View

T = TypeVar("T", bound=np.generic)


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
        known = base.answer != UNKNOWN
        said = base.answer[known] == YES
        judged = self._judged(said)
        if known.all():
            return Outcome(judged, lambda: self._onset(said, judged))
        rows = np.flatnonzero(known)
        answer = _carried(judged, rows, len(known), UNKNOWN)
        ends = np.append(rows[1:], len(known))
        stale = ends - rows > self.stale + 1
        for row, end in zip(rows[stale].tolist(), ends[stale].tolist(), strict=True):
            answer[row + self.stale + 1 : end] = UNKNOWN
        return Outcome(
            answer, lambda: _carried(rows[self._onset(said, judged)], rows, len(known), 0)
        )

    def _judged(self, said: Flags) -> Codes:
        """(k,) the answer at each row that could be judged."""
        if not said.any():
            return np.full(len(said), NO, dtype=np.int8)
        total = np.cumsum(said, dtype=np.int32)
        count = total.copy()
        count[self.of :] -= total[: -self.of]
        judged = coded(count >= self.need, count < self.need)
        early = slice(0, self.need - 1)  # too few rows yet, all of which said yes
        judged[early][total[early] == np.arange(1, len(total[early]) + 1)] = UNKNOWN
        return judged

    def _onset(self, said: Flags, judged: Codes) -> Rows:
        """(k,) the first bad row inside the window that first said yes."""
        if self.need == self.of:
            return streak_start(said, np.ones(len(said), dtype=bool))
        k = np.arange(len(said))
        fired = judged == YES
        begins = fired.copy()
        begins[1:] &= ~fired[:-1]
        upcoming = np.minimum.accumulate(np.where(said, k, len(k))[::-1])[::-1]
        start = np.maximum(np.maximum(last_known(begins), 0) - self.of + 1, 0)
        return np.asarray(np.minimum(upcoming[start], len(k) - 1), dtype=np.int64)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        return self.condition.evidence(view, row)


def _carried(values: NDArray[T], rows: Rows, n: int, before: int) -> NDArray[T]:
    """(n,) the value of the latest of the rows at each row, `before` where there is none yet."""
    whole = np.full(n, before, dtype=values.dtype)
    if len(rows):
        whole[rows[0] :] = np.repeat(values, np.diff(np.append(rows, n)))
    return whole


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
        if not yes.any():
            answer = np.full(len(view), UNKNOWN, dtype=np.int8)
            if known.any():
                answer[known.argmax() :] = NO
            return streaks(answer)
        start = streak_start(yes, known)
        numbers = view.iterations.middle
        before = np.where(view.imported & (start == 0), 1.0, numbers[start])
        at = last_known(known)
        latest = np.maximum(at, 0)
        long_enough = numbers - before + 1.0 >= self.iterations
        seen = at >= 0
        holds = yes[latest]
        return Outcome(coded(seen & holds & long_enough, seen & ~holds), lambda: start)

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
        first = outcome(self.conditions[0], view)
        no, unknown = first.answer == NO, first.answer == UNKNOWN
        for condition in self.conditions[1:]:
            if no.all():  # nothing that follows could change a row
                break
            answer = outcome(condition, view).answer
            no |= answer == NO
            unknown |= answer == UNKNOWN
        return Outcome(coded(~no & ~unknown, no), lambda: first.onset)

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
        yes = np.logical_or.reduce([part.answer == YES for part in parts])
        no = np.logical_or.reduce([part.answer == NO for part in parts])
        return Outcome(coded(yes, no), lambda: _first_onset(parts, len(view)))

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        """Of the detectors that fire; of all that can be judged where none does."""
        answers = [(c, int(outcome(c, view).answer[row])) for c in self.conditions]
        firing = [c for c, answer in answers if answer == YES]
        judged = firing or [c for c, answer in answers if answer != UNKNOWN]
        return tuple(e for c in judged for e in c.evidence(view, row))


def _first_onset(parts: Sequence[Outcome], rows: int) -> Rows:
    """(rows,) the earliest onset among those of the parts that say yes."""
    first = np.full(rows, max(rows - 1, 0), dtype=np.int64)
    for part in parts:
        yes = part.answer == YES
        if yes.any():
            first[yes] = np.minimum(first[yes], part.onset[yes])
    return first


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


@dataclass(frozen=True, slots=True)
class Enough:
    """A condition that is enough for a yes and tells nothing where it fails: its no is unknown."""

    condition: Condition

    @property
    def text(self) -> str:
        return self.condition.text

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.condition.measures

    def evaluate(self, view: View) -> Outcome:
        found = outcome(self.condition, view)
        answer = np.where(found.answer == YES, YES, UNKNOWN).astype(np.int8)
        return Outcome(answer, lambda: found.onset)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        return self.condition.evidence(view, row)


@dataclass(frozen=True, slots=True)
class Told:
    """A condition whose evidence begins with one more line, in words made from the rows."""

    condition: Condition
    about: str
    words: Callable[[View, int], str]

    @property
    def text(self) -> str:
        return self.condition.text

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.condition.measures

    def evaluate(self, view: View) -> Outcome:
        return outcome(self.condition, view)

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        words = self.words(view, row)
        told = Evidence(measure=self.about, value=words, comparison="is", bound=None, unit="")
        return (*((told,) if words else ()), *self.condition.evidence(view, row))


def lacking(condition: Condition, holds: Callable[[str], bool]) -> tuple[str, ...]:
    """Columns the log would have to hold for this condition to be judged; of alternatives, those
    of the one that lacks fewest."""
    match condition:
        case Either(conditions=parts):
            deciding = [part for part in parts if not isinstance(part, Enough)] or parts
            return min((lacking(part, holds) for part in deciding), key=len)
        case All(conditions=parts):
            return tuple(dict.fromkeys(name for part in parts for name in lacking(part, holds)))
        case (
            Recent(condition=inner)
            | Lasting(condition=inner)
            | Gate(condition=inner)
            | Enough(condition=inner)
            | Told(condition=inner)
        ):
            return lacking(inner, holds)
    names = (name for measure in condition.measures for name in measure.columns)
    return tuple(dict.fromkeys(name for name in names if not holds(name)))
