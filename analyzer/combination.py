"""Conditions made of conditions: lasting, recent, all of several, one of several, gates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analyzer.condition import NO, UNKNOWN, YES, Condition, Outcome, outcome, streak_start
from analyzer.diagnosis import Evidence
from analyzer.measure import Measure, last_known
from analyzer.view import View


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
        at = last_known(base.answer != UNKNOWN)
        fresh = (at >= 0) & (np.arange(n) - at <= self.stale)
        if not yes.any():
            answer[fresh] = NO
            return Outcome(answer, onset)
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
            first = streak_start(yes, np.ones(len(yes), dtype=bool))
        first = np.minimum(first, len(rows) - 1)
        position = (np.cumsum(base.answer != UNKNOWN) - 1)[fresh]
        answer[fresh] = judged[position]
        onset[fresh] = rows[first[position]]
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
        start = np.minimum(streak_start(yes, known), max(len(view) - 1, 0))
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
            return min((lacking(part, holds) for part in parts), key=len)
        case All(conditions=parts):
            return tuple(dict.fromkeys(name for part in parts for name in lacking(part, holds)))
        case (
            Recent(condition=inner)
            | Lasting(condition=inner)
            | Gate(condition=inner)
            | Told(condition=inner)
        ):
            return lacking(inner, holds)
    names = (name for measure in condition.measures for name in measure.columns)
    return tuple(dict.fromkeys(name for name in names if not holds(name)))
