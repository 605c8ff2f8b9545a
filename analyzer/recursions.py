"""Recursions that logged advantages may obey: GAE's, and those of known mistakes.

With r, V, V' (of the next observation, the final one before a reset), γ and λ in force, every step
of a window but its last obeys (arXiv 1506.02438, equation 16)

    A_t = r_t + γ(1 − terminated_t)V'_t − V_t + γλ(1 − end_t)A_{t+1}.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.interval import Flags, Floats
from analyzer.view import View

LISTS = tuple(
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
    lists = [view.lists(name) for name in LISTS]
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


def residual(
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


def alternatives(steps: Steps, at: Indices) -> Iterator[tuple[int, Floats, Flags]]:
    """Kind, residual, and the steps on which it can be judged, for each known mistake."""
    everywhere = np.ones(len(at), dtype=bool)
    nothing = np.zeros(len(at))
    yield SIGN, residual(steps, at, sign=-1.0), everywhere
    for kind, by in ((LATE, -1), (EARLY, 1), (LATE_2, -2), (EARLY_2, 2)):
        terminated, inside = _shifted(steps, steps.terminated, at, by)
        end, _ = _shifted(steps, steps.end, at, by)
        yield kind, residual(steps, at, terminated=terminated, end=end), inside
    yield NO_ENDS, residual(steps, at, terminated=nothing, end=nothing), everywhere
    yield CARRIED, residual(steps, at, end=nothing), everywhere
    yield NO_BOOTSTRAP, residual(steps, at, terminated=steps.end[at]), everywhere
    yield TERMINAL, residual(steps, at, terminated=nothing), everywhere
    after_reset = np.where(steps.end[at] > 0.0, steps.value[at + 1], steps.next_value[at])
    yield RESET, residual(steps, at, next_value=after_reset), everywhere
    for kind, by in ((REWARD_NEXT, 1), (REWARD_BEFORE, -1)):
        reward, inside = _shifted(steps, steps.reward, at, by)
        yield kind, residual(steps, at, reward=reward), inside


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


def fitted(steps: Steps, at: Indices) -> Iterator[tuple[int, Floats, Flags]]:
    """The recursion with constants of its own: normalised advantages, another γ or λ."""
    a, following = steps.advantage[at], steps.advantage[at + 1]
    carry = steps.gamma[at] * steps.lam[at] * (1.0 - steps.end[at])
    delta = a - carry * following - residual(steps, at)
    scale, shift = _fit(steps, at, delta, a - carry * following, 1.0 - carry)
    off = (delta - scale * (a - carry * following) - shift * (1.0 - carry)) / scale
    yield NORMALISED, np.where(scale > 0.0, off, np.inf), np.ones(len(at), dtype=bool)
    later, over = (1.0 - steps.terminated[at]) * steps.next_value[at], 1.0 - steps.end[at]
    y = a + steps.value[at] - steps.reward[at]
    gamma, both = _fit(steps, at, y, later, over * following)
    off = y - gamma * later - both * over * following
    possible = (gamma > 0.0) & (gamma < 1.0 + 1e-6) & (both > -1e-6) & (both < gamma + 1e-6)
    yield DISCOUNT, np.where(possible, off, np.inf), np.ones(len(at), dtype=bool)
