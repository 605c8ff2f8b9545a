"""What the policy itself tells: exploration left, saturation, and whether it came about by learning."""

from collections.abc import Callable

import numpy as np

from analyzer import measures as m
from analyzer.history import ever
from analyzer.interval import Interval, exact
from analyzer.measure import Measure, column, derived, last_known
from analyzer.view import View

SQUEEZED = 0.5
"""Share of what KL allows that a fall of σ takes up. Updates that improve the means spend .001–.16."""
FALLS = 5


def _came_about(
    x: Interval, numbers: Interval, *, jump: float, high: float, reset: float
) -> tuple[Interval, Interval]:
    """Two flags a row: x is high since one iteration raised it by `jump`; since the first iteration.

    Both end where x falls below `reset`. One step inside a trust region moves a policy little, so a
    quantity of it that leaps was set from outside; one that was high at the start was never learned.
    """
    n = len(x)
    rows = np.flatnonzero(x.known)
    at_once, at_start, back = (np.zeros(n, dtype=bool) for _ in range(3))
    if len(rows):
        value, number = x.low[rows], numbers.middle[rows]
        # Iterations apart: learning may have led there in between.
        leap = (np.diff(value) >= jump) & (value[1:] >= high) & (np.diff(number) <= 1.0)
        at_once[rows[1:]] = leap
        at_start[rows[0]] = value[0] >= high and number[0] <= 1.0
        back[rows] = value < reset
    ended = last_known(back)
    seen = ever(x.known)
    flags = [
        exact((last_known(begun) > ended).astype(np.float64), seen) for begun in (at_once, at_start)
    ]
    return flags[0], flags[1]


def _origin(
    name: str, what: str, of: Callable[[View], Interval], columns: str, **bounds: float
) -> tuple[Measure, Measure]:
    """The measures of `_came_about`, named after what they speak of."""

    def flag(view: View, which: int) -> Interval:
        return _came_about(of(view), view.iterations, **bounds)[which]

    return (
        derived(f"{name}_at_once", "flag", f"1 since {what} within one iteration", lambda v: flag(v, 0), columns),
        derived(f"{name}_from_start", "flag", f"1 since {what} in the first iteration", lambda v: flag(v, 1), columns),
    )  # fmt: skip


def _entropy_spent(view: View) -> Interval:
    """Entropy lost by the update, over the most a KL of that size allows: √(d·KL) to second order."""
    d = float(view.fact("action_dim") or np.nan)
    kl = view["kl"]
    most = (kl * d).sqrt()
    return ((view["entropy"] - view["entropy_after"]) / most).where(kl.low > m.SUM_OF_ZEROS)


def _sigma_spent(view: View) -> Interval:
    """Fall of log σ since the row before over the most that KL allows, its sign kept.

    KL summed over dimensions is at least Σ(Δ log σᵢ)² ≥ d·Δ², to second order, and one that is
    averaged at least Δ². A policy spends KL on its means first: healthy rows stay below .2.
    """
    sigma, kl = view["log_std_mean"], view["kl"]
    if len(view) < 2:
        return view.empty()
    summed = view.fact("kl_reduction") == "sum"
    d = float(view.fact("action_dim") or 1.0) if summed else 1.0
    size = np.where(kl.known, kl.high, 0.0)
    # Trainers print σ of before or of after the update: either row's KL may be the one.
    most = np.sqrt(np.maximum(size[1:], size[:-1]) / d)
    fell = sigma.low[:-1] - sigma.high[1:]
    adjacent = np.diff(view.iterations.middle) <= 1.0
    known = adjacent & sigma.known[1:] & sigma.known[:-1] & (most > np.sqrt(m.SUM_OF_ZEROS))
    share = np.where(known, fell / np.where(known, most, 1.0), np.nan)
    return exact(np.concatenate(([np.nan], share)), np.concatenate(([False], known)))


def _squeezed(view: View) -> Interval:
    """1 since σ fell by more than SQUEEZED of what KL allows in FALLS rows in a row."""
    spent = SIGMA_SPENT.of(view)
    rows = np.flatnonzero(spent.known)
    falls = (spent.middle[rows] > SQUEEZED).astype(np.int64)
    total = np.cumsum(falls)
    total[FALLS:] -= np.cumsum(falls)[:-FALLS]
    begun = np.zeros(len(view), dtype=bool)
    begun[rows[total >= FALLS]] = True
    return exact(ever(begun).astype(np.float64), np.ones(len(view), dtype=bool))


def _sigma_moved(view: View) -> Interval:
    """|Δ log σ| since the row before, where KL is above 0."""
    sigma, kl = view["log_std_mean"], view["kl"]
    if not len(view):
        return view.empty()
    moved = np.concatenate(([np.nan], np.abs(np.diff(sigma.middle))))
    both = sigma.known & np.concatenate(([False], sigma.known[:-1])) & ~sigma.coarse
    return exact(moved, both & kl.known & (kl.low > m.SUM_OF_ZEROS))


def _horizon_share(view: View) -> Interval:
    """Steps that the discount looks ahead, 1/(1−γ), over the mean length of episodes."""
    gamma, length = view["gamma"], view["episode_length_mean"]
    ahead = 1.0 / (1.0 - gamma.where(gamma.low < 1.0))
    return ahead / length.where(length.low > 0.0)


def _inputs_in_range(view: View) -> Interval:
    """1 where observations are normalised and few of them clipped: their size saturates nothing."""
    clipped = view["observation_clip_fraction"]
    fine = clipped.known & (clipped.high < 0.1)
    return exact(fine.astype(np.float64), np.ones(len(view), dtype=bool))


# fmt: off
ITERATIONS = derived("iterations_done", "iterations", "iteration number", lambda v: v.iterations, "")
SATURATED = column("saturated_units_fraction")
SATURATED_AT_ONCE, SATURATED_FROM_START = _origin("saturated", "units saturated", lambda v: v["saturated_units_fraction"], "saturated_units_fraction", jump=0.25, high=0.4, reset=0.3)
MEANS_OUTSIDE = column("action_mean_clip_fraction")
OUTSIDE_AT_ONCE, OUTSIDE_FROM_START = _origin("outside", "the means left the bounds", lambda v: v["action_mean_clip_fraction"], "action_mean_clip_fraction", jump=0.5, high=0.8, reset=0.5)
COLLAPSED_AT_ONCE, COLLAPSED_FROM_START = _origin("collapsed", "σ fell", lambda v: -m.SIGMA.of(v), "log_std_max", jump=1.0, high=4.0, reset=3.5)
ENTROPY_SPENT = derived("entropy_spent", "1", "(entropy − entropy_after) / √(d·KL)", _entropy_spent, "entropy entropy_after kl", shows="entropy entropy_after kl")
SIGMA_SPENT = derived("sigma_spent", "1", "fall of log σ since the row before / √(KL/d)", _sigma_spent, "log_std_mean kl")
SIGMA_SQUEEZED = derived("sigma_squeezed", "flag", f"1 since σ fell by > {SQUEEZED} of what KL allows, {FALLS} rows in a row", _squeezed, "", "log_std_mean kl", shows="log_std_mean kl")
SIGMA_MOVED = derived("sigma_moved", "1", "|Δ log σ| where KL > 0", _sigma_moved, "log_std_mean kl", shows="log_std_mean")
EFFECTIVE_SAMPLES = column("effective_sample_size")
HORIZON_SHARE = derived("horizon_share", "fraction", "1/(1−γ) / mean episode length", _horizon_share, "gamma episode_length_mean", shows="gamma episode_length_mean")
INPUTS_IN_RANGE = derived("inputs_in_range", "flag", "1 where observations are normalised and under 10 % of them clipped", _inputs_in_range, "", "observation_clip_fraction", shows="observation_clip_fraction")
# fmt: on
