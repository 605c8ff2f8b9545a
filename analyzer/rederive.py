"""Advantages derived again from the windows of the log: do they obey GAE's recursion, or which?

A window is a contiguous stretch of one environment. Where its advantages do not obey the recursion,
those of known mistakes are tried on the same numbers.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.condition import Outcome, coded, streaks
from analyzer.diagnosis import Evidence
from analyzer.history import ever
from analyzer.identities import CRITIC_FIT_ERROR
from analyzer.interval import Flags, Floats, Interval, exact
from analyzer.measure import Measure, derived, latest
from analyzer.recursions import (
    KINDS,
    LISTS,
    NONE,
    OTHER,
    RIGHT,
    VALUES,
    Indices,
    Steps,
    alternatives,
    fitted,
    residual,
    steps_of,
)
from analyzer.view import View

TOLERANCE = 1e-4
"""Share of the advantages' spread that a step may be off: float32 advantages are off by 1e-6."""
ROUNDING = 64.0
"""Units in the last place of the largest term, for advantages far smaller than the values."""
SAME_TERMS = 0.5
"""Correlation of A_t − γλA_{t+1} with δ_t that only other values of the same states leave."""
NO_RELATION = 0.3
"""Below it nothing is left; so it is with a critic fitted long, which the value loss then tells."""
REFITTED = 0.01
"""The batch's value loss says by more than this that V is not the one of the advantages."""
STRAY = 0.2
"""Share of a window's steps that may break a mistake's recursion where most break the right one: a
trainer that bootstraps a truncated episode in its reward makes one or two of each end."""
ENOUGH = 30
"""Steps from which a correlation below .3 is no accident of related numbers."""

LASTS = 1000
"""Rows for which a window's answer stands where no later one can tell: ends of episodes are rare in
a run that learns to avoid them."""


def _correlation(row: Indices, n: int, a: Floats, b: Floats) -> Floats:
    """(n,) correlation of a and b within each row."""

    def mean(values: Floats) -> Floats:
        return np.bincount(row, weights=values, minlength=n) / np.bincount(row, minlength=n)

    da, db = a - mean(a)[row], b - mean(b)[row]
    return np.asarray(mean(da * db) / np.sqrt(mean(da * da) * mean(db * db)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a recursion is judged, (n,) by row: what a step may be off, and how many are checked."""

    allowed: Floats
    count: Indices

    def broken(self, row: Indices, error: Floats, inside: Flags | None = None) -> Floats:
        """(n,) steps of each window that break a recursion, of those inside."""
        off = ~(np.abs(error) <= self.allowed[row])
        counted = (off if inside is None else off & inside).astype(np.float64)
        return np.asarray(np.bincount(row, weights=counted, minlength=len(self.count)), np.float64)


def _judgement(view: View, steps: Steps, row: Indices) -> Judgement:
    n = len(view)
    largest = np.zeros(n)
    for values in (steps.reward, steps.value, steps.next_value, steps.advantage):
        np.maximum.at(largest, steps.row, np.abs(values))
    total = np.bincount(steps.row, minlength=n)
    mean = np.bincount(steps.row, weights=steps.advantage, minlength=n) / total
    squared = (steps.advantage - mean[steps.row]) ** 2
    spread = np.sqrt(np.bincount(steps.row, weights=squared, minlength=n) / total)
    allowed = TOLERANCE * spread + ROUNDING * view.eps * largest
    return Judgement(allowed=allowed, count=np.bincount(row, minlength=n))


def _broken_share(view: View) -> Interval:
    steps = steps_of(view)
    if steps is None:
        return view.empty()
    at = steps.checked
    row = steps.row[at]
    judgement = _judgement(view, steps, row)
    # A number that is not finite breaks no recursion; another rule speaks of it.
    judged = (judgement.count > 0) & np.isfinite(judgement.allowed)
    return exact(judgement.broken(row, residual(steps, at)) / judgement.count, judged)


def _kinds(view: View) -> Interval:
    share, steps = BROKEN_STEPS.of(view), steps_of(view)
    if steps is None:
        return view.empty()
    n = len(view)
    kind = np.where(share.middle > 0.0, float(OTHER), float(RIGHT))
    left = share.present & (share.middle > 0.0)
    telling = share.present.copy()
    at = steps.checked
    judgement = _judgement(view, steps, steps.row[at])
    if left.any():
        row = steps.row[at]
        nearly = np.full(n, float(OTHER))
        for tried in (alternatives(steps, at), fitted(steps, at)):
            for which, off, inside in tried:
                broken = judgement.broken(row, off, inside)
                obeyed = broken == 0
                kind[left & (kind == OTHER) & obeyed] = which
                close = (share.middle > 0.5) & (broken <= STRAY * judgement.count)
                nearly[close & (nearly == OTHER)] = which
                # Both recursions are the same here, so nothing speaks against the one seen before.
                seen = ever(left & (kind == which))
                telling &= ~(obeyed & seen & (kind == RIGHT))
        kind = np.where(left & (kind == OTHER), nearly, kind)
        at = at[left[row]]
        row = steps.row[at]
        carry = steps.gamma[at] * steps.lam[at] * (1.0 - steps.end[at])
        own = steps.advantage[at] - carry * steps.advantage[at + 1]
        alike = _correlation(row, n, own, own - residual(steps, at))
        refitted = CRITIC_FIT_ERROR.of(view)
        known = refitted.known & (refitted.low > REFITTED) & (share.middle > 0.5)
        most = left & (kind == OTHER) & (share.middle > 0.9)
        kind[(left & (kind == OTHER) & known) | (most & (alike > SAME_TERMS))] = VALUES
        most &= kind == OTHER
        kind[most & (np.abs(alike) < NO_RELATION) & (judgement.count >= ENOUGH)] = NONE
    return exact(kind, telling)


BROKEN_STEPS = derived("steps_off_the_recursion", "fraction", "share of the window's steps with A_t ≠ r_t + γ(1 − terminated)V' − V + γλ(1 − end)A_{t+1}", _broken_share, " ".join((*LISTS, "gamma", "lam")))  # fmt: skip
GAE_KIND = derived("advantage_recursion", "", "which recursion the window's advantages obey", _kinds, " ".join((*LISTS, "gamma", "lam")))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Obeys:
    """The advantages of a window obey one of the recursions named, instead of the right one."""

    kinds: tuple[int, ...]

    @property
    def text(self) -> str:
        return "the window's advantages obey another recursion than GAE's, or none"

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (BROKEN_STEPS, GAE_KIND)

    def evaluate(self, view: View) -> Outcome:
        kind = GAE_KIND.of(view)
        yes = kind.known & np.isin(kind.middle, self.kinds)
        return streaks(coded(yes, kind.known))

    def evidence(self, view: View, row: int) -> tuple[Evidence, ...]:
        kind, share = GAE_KIND.of(view), BROKEN_STEPS.of(view)
        at = latest(kind.known, row)
        if at < 0:
            return ()
        words = KINDS[int(kind.middle[at])]
        return (
            Evidence(
                measure=BROKEN_STEPS.name,
                value=share.at(at),
                comparison=">" if share.middle[at] > 0.0 else "≤",
                bound=0.0,
                unit=BROKEN_STEPS.unit,
            ),
            Evidence(measure=GAE_KIND.name, value=words, comparison="is", bound=None, unit=""),
        )
