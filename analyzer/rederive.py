"""Advantages derived again from the windows of the log: do they obey the recursion of GAE, or which?

A window is a contiguous stretch of one environment. With r, V, V' (of the next observation, the
final one before a reset), γ and λ in force, every step but its last obeys (arXiv 1506.02438, eq. 16)

    A_t = r_t + γ(1 − terminated_t)V'_t − V_t + γλ(1 − end_t)A_{t+1}.

Where it does not, the recursions of known mistakes are tried on the same numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.condition import NO, UNKNOWN, YES, Outcome, streak_start
from analyzer.diagnosis import Evidence
from analyzer.identities import CRITIC_FIT_ERROR
from analyzer.interval import Flags, Floats, Interval, exact
from analyzer.measure import Measure, derived, latest
from analyzer.view import View

TOLERANCE = 1e-4
"""Share of the advantages' spread that a step may be off: float32 advantages are off by 1e-6."""
ROUNDING = 64.0
"""Units in the last place of the largest term, for advantages far smaller than the values."""
SAME_TERMS = 0.5
"""Correlation of A_t − γλA_{t+1} with δ_t: .9 and more with a critic fitted in between."""
NO_RELATION = 0.3
REFITTED = 0.01
"""The batch's value loss says by more than this that V is not the one of the advantages."""
ENOUGH = 30
"""Steps from which a correlation below .3 is no accident of related numbers."""

LASTS = 1000
"""Rows for which a window's answer stands where no later one can tell: ends of episodes are rare in
a run that learns to avoid them."""

_LISTS = tuple(
    f"window_{name}"
    for name in ("reward", "value", "next_value", "advantage", "terminated", "truncated")
)

KINDS: tuple[str, ...] = (
    "the right one",
    "the right one, normalised afterwards",
    "that of −A: the sign is flipped",
    "with the episode ends one step late",
    "with the episode ends one step early",
    "with the episode ends two steps late",
    "with the episode ends two steps early",
    "across episode ends, as if there were none",
    "carried across episode ends",
    "with truncated episodes as terminated ones: V is not bootstrapped",
    "with V bootstrapped in terminal states",
    "with V of the observation after the reset",
    "with the reward of the next step",
    "with the reward of the step before",
    "with another γ or λ than the log's",
    "with values other than those of the critic that sampled",
    "none: no relation to rewards and values",
    "none that is known",
)
"""What recursion the advantages of a window obey, by the number in GAE_KIND."""
RIGHT, NORMALISED, SIGN, LATE, EARLY, LATE_2, EARLY_2, NO_ENDS, CARRIED = range(9)
NO_BOOTSTRAP, TERMINAL, RESET, REWARD_NEXT, REWARD_BEFORE, DISCOUNT, VALUES, NONE, OTHER = range(
    9, 18
)
WRONG = (*range(SIGN, VALUES), OTHER)
"""Kinds that are an error of the recursion itself."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """All windows end to end, (m,) each; `first`, `last` (m,): bounds of a step's own window."""

    row: Indices
    first: Indices
    last: Indices
    reward: Floats
    value: Floats
    next_value: Floats
    advantage: Floats
    terminated: Floats
    end: Floats
    gamma: Floats
    lam: Floats

    @property
    def checked(self) -> Indices:
        """Steps that have a successor in their window."""
        at = np.arange(len(self.row))
        return at[at < self.last]


def steps_of(view: View) -> Steps | None:
    """The windows of a run; None where it has none with every list, of one length, and γ and λ."""
    lists = [view.lists(name) for name in _LISTS]
    gamma, lam = view["gamma"], view["lam"]
    length = np.diff(lists[0].offsets)
    usable = gamma.known & lam.known & (length >= 3)
    for column in lists:
        usable &= column.present & (np.diff(column.offsets) == length)
    if not usable.any():
        return None
    flat = [column.values[np.repeat(usable, np.diff(column.offsets))] for column in lists]
    reward, value, next_value, advantage, terminated, truncated = flat
    rows = np.flatnonzero(usable)
    bounds = np.concatenate(([0], np.cumsum(length[rows])))
    row = np.repeat(rows, length[rows])
    return Steps(
        row=row,
        first=np.repeat(bounds[:-1], length[rows]),
        last=np.repeat(bounds[1:] - 1, length[rows]),
        reward=reward,
        value=value,
        next_value=next_value,
        advantage=advantage,
        terminated=terminated,
        end=np.maximum(terminated, truncated),
        gamma=gamma.middle[row],
        lam=lam.middle[row],
    )


def _shifted(steps: Steps, values: Floats, at: Indices, by: int) -> tuple[Floats, Flags]:
    """values[at + by], and where that lies in the step's own window."""
    there = at + by
    inside = (there >= steps.first[at]) & (there <= steps.last[at])
    return values[np.clip(there, 0, len(values) - 1)], inside


def _residual(
    steps: Steps,
    at: Indices,
    *,
    reward: Floats | None = None,
    next_value: Floats | None = None,
    terminated: Floats | None = None,
    end: Floats | None = None,
    sign: float = 1.0,
) -> Floats:
    """A_t minus what the recursion with the given terms in place of the logged ones says."""
    r = steps.reward[at] if reward is None else reward
    following = steps.next_value[at] if next_value is None else next_value
    terminal = steps.terminated[at] if terminated is None else terminated
    over = steps.end[at] if end is None else end
    gamma, lam = steps.gamma[at], steps.lam[at]
    delta = r + gamma * (1.0 - terminal) * following - steps.value[at]
    advantage = sign * steps.advantage
    return np.asarray(advantage[at] - delta - gamma * lam * (1.0 - over) * advantage[at + 1])


def _alternatives(steps: Steps, at: Indices) -> Iterator[tuple[int, Floats, Flags]]:
    """Kind, residual, and the steps on which it can be judged, for each known mistake."""
    everywhere = np.ones(len(at), dtype=bool)
    nothing = np.zeros(len(at))
    yield SIGN, _residual(steps, at, sign=-1.0), everywhere
    for kind, by in ((LATE, -1), (EARLY, 1), (LATE_2, -2), (EARLY_2, 2)):
        terminated, inside = _shifted(steps, steps.terminated, at, by)
        end, _ = _shifted(steps, steps.end, at, by)
        yield kind, _residual(steps, at, terminated=terminated, end=end), inside
    yield NO_ENDS, _residual(steps, at, terminated=nothing, end=nothing), everywhere
    yield CARRIED, _residual(steps, at, end=nothing), everywhere
    yield NO_BOOTSTRAP, _residual(steps, at, terminated=steps.end[at]), everywhere
    yield TERMINAL, _residual(steps, at, terminated=nothing), everywhere
    after_reset = np.where(steps.end[at] > 0.0, steps.value[at + 1], steps.next_value[at])
    yield RESET, _residual(steps, at, next_value=after_reset), everywhere
    for kind, by in ((REWARD_NEXT, 1), (REWARD_BEFORE, -1)):
        reward, inside = _shifted(steps, steps.reward, at, by)
        yield kind, _residual(steps, at, reward=reward), inside


def _fit(steps: Steps, at: Indices, y: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Least squares y ≈ p·a + q·b in each window: p, q of each step's window."""
    row = steps.row[at]
    n = int(row[-1]) + 1

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(row, weights=values, minlength=n), dtype=np.float64)

    aa, ab, bb, ay, by = total(a * a), total(a * b), total(b * b), total(a * y), total(b * y)
    determinant = aa * bb - ab * ab
    p, q = (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant
    return p[row], q[row]


def _fitted(steps: Steps, at: Indices) -> Iterator[tuple[int, Floats, Flags]]:
    """The recursion with constants of its own: normalised advantages, another γ or λ."""
    a, following = steps.advantage[at], steps.advantage[at + 1]
    carry = steps.gamma[at] * steps.lam[at] * (1.0 - steps.end[at])
    delta = a - carry * following - _residual(steps, at)
    scale, shift = _fit(steps, at, delta, a - carry * following, 1.0 - carry)
    off = (delta - scale * (a - carry * following) - shift * (1.0 - carry)) / scale
    yield NORMALISED, np.where(scale > 0.0, off, np.inf), np.ones(len(at), dtype=bool)
    later, over = (1.0 - steps.terminated[at]) * steps.next_value[at], 1.0 - steps.end[at]
    y = a + steps.value[at] - steps.reward[at]
    gamma, both = _fit(steps, at, y, later, over * following)
    off = y - gamma * later - both * over * following
    possible = (gamma > 0.0) & (gamma < 1.0 + 1e-6) & (both > -1e-6) & (both < gamma + 1e-6)
    yield DISCOUNT, np.where(possible, off, np.inf), np.ones(len(at), dtype=bool)


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

    def broken(self, row: Indices, residual: Floats, inside: Flags | None = None) -> Floats:
        """(n,) steps of each window that break a recursion, of those inside."""
        off = ~(np.abs(residual) <= self.allowed[row])
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
    return exact(judgement.broken(row, _residual(steps, at)) / judgement.count, judged)


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
        for tried in (_alternatives(steps, at), _fitted(steps, at)):
            for which, residual, inside in tried:
                obeyed = judgement.broken(row, residual, inside) == 0
                kind[left & (kind == OTHER) & obeyed] = which
                # Both recursions are the same here, so nothing speaks against the one seen before.
                seen = np.cumsum(left & (kind == which)) > 0
                telling &= ~(obeyed & seen & (kind == RIGHT))
        at = at[left[row]]
        row = steps.row[at]
        carry = steps.gamma[at] * steps.lam[at] * (1.0 - steps.end[at])
        own = steps.advantage[at] - carry * steps.advantage[at + 1]
        alike = _correlation(row, n, own, own - _residual(steps, at))
        refitted = CRITIC_FIT_ERROR.of(view)
        known = refitted.known & (refitted.low > REFITTED) & (share.middle > 0.5)
        most = left & (kind == OTHER) & (share.middle > 0.9)
        kind[(left & (kind == OTHER) & known) | (most & (alike > SAME_TERMS))] = VALUES
        most &= kind == OTHER
        kind[most & (np.abs(alike) < NO_RELATION) & (judgement.count >= ENOUGH)] = NONE
    return exact(kind, telling)


BROKEN_STEPS = derived("steps_off_the_recursion", "fraction", "share of the window's steps with A_t ≠ r_t + γ(1 − terminated)V' − V + γλ(1 − end)A_{t+1}", _broken_share, " ".join((*_LISTS, "gamma", "lam")))  # fmt: skip
GAE_KIND = derived("advantage_recursion", "", "which recursion the window's advantages obey", _kinds, " ".join((*_LISTS, "gamma", "lam")))  # fmt: skip


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
        answer = np.where(yes, YES, np.where(kind.known, NO, UNKNOWN)).astype(np.int8)
        return Outcome(answer, streak_start(yes, kind.known))

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
