"""Episodes: how long they last, and whether several environments live through the same one."""

import numpy as np

from analyzer.history import ever, running_max, so_far, varied
from analyzer.identities import row_of
from analyzer.interval import Floats, Interval, exact
from analyzer.measure import derived
from analyzer.view import View

LONG = 10.0
"""Steps beyond which an environment surely means episodes to last."""
FEW_PARAMETERS = 10.0
"""With so few, two gradients can point the same way by chance."""
ALIKE_ROWS = 5
"""Rows in which one ratio of return to length is no accident."""
MANY_ENDS = 20
"""Ends in one window (64 steps) from which their distance is the length of episodes."""
_LISTED = 64
"""Episodes a row lists at most."""


def _length(view: View) -> Interval:
    return view["episode_length_median"].or_else(view["episode_length_mean"])


def _window_length(view: View) -> Interval:
    """Mean length of the episodes inside a window, where many ends lie in it; for logs whose
    episodes are told by a monitor that does not see what ends them."""
    first, last = view.lists("window_terminated"), view.lists("window_truncated")
    n = len(view)
    if not len(first.values) or not np.array_equal(first.offsets, last.offsets):
        return view.empty()
    ended = np.flatnonzero(np.maximum(first.values, last.values) > 0.0)
    row = row_of(first)[ended]
    count = np.bincount(row, minlength=n)
    begin, end = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(begin, row, ended)
    np.maximum.at(end, row, ended)
    with np.errstate(invalid="ignore", divide="ignore"):
        return exact((end - begin) / (count - 1.0), first.present & (count >= MANY_ENDS))


def _length_to_best(view: View) -> Interval:
    length = _length(view)
    return length / so_far(length)


def _meant_to_last(view: View) -> Interval:
    """1 where the time limit, or an episode before, tells that episodes are meant to last."""
    horizon = view.fact("horizon")
    limit = float(horizon) if isinstance(horizon, int | float) else 0.0
    best = so_far(_length(view))
    lasted = best.known & (best.low > LONG)
    return exact((lasted | (limit > LONG)).astype(np.float64), np.ones(len(view), dtype=bool))


def _copied(returns: Floats, worlds: int) -> int:
    """Episodes of one row beyond the first of each kind, if every kind comes in whole sets of one an
    environment; else 0. The list may have cut the set it begins with."""
    kinds, number = np.unique(returns, return_counts=True)
    if len(returns) >= _LISTED:
        number = number[kinds != returns[0]]
    whole = len(number) > 0 and not (number % worlds).any()
    return int((number - 1).sum()) if whole else 0


def _copies(view: View) -> Interval:
    """Copied episodes since the last row that had one of its own. Whole numbers and returns of
    rewards that are all alike tell nothing: they agree by chance, or wherever lengths do."""
    n, worlds = len(view), view.fact("environments")
    listed = view.lists("episode_returns")
    if not isinstance(worlds, int | float) or worlds < 2 or not len(listed.values):
        return view.empty()
    starts, ends = listed.offsets[:-1], listed.offsets[1:]
    alike = view["reward_min"].middle == view["reward_max"].middle
    filled = listed.present & (ends - starts >= 2) & ~alike
    rows = np.flatnonzero(filled)
    latest = listed.values[ends[rows] - 1]
    rows = rows[np.isfinite(latest) & (latest != np.round(latest))]
    found, judged = np.zeros(n), np.zeros(n, dtype=bool)
    total = 0
    for row in rows:
        returns = listed.values[starts[row] : ends[row]]
        # The quick way out of nearly every healthy row: its latest episode is like no other.
        twice = np.count_nonzero(returns == returns[-1]) > 1
        copied = _copied(returns, int(worlds)) if twice else 0
        total = total + copied if copied else 0
        found[row], judged[row] = total, True
    return exact(found, judged)


def _gradient_gap(view: View) -> Interval:
    return 1.0 - view["gradient_cosine"]


def _parameters(view: View) -> Interval:
    return view["trainable_parameters"].or_else(np.inf)


def _per_step(view: View) -> Interval:
    """Mean return over mean length, where no reward is logged."""
    length = view["episode_length_mean"]
    ratio = view["episode_return_mean"] / length.where(length.known & (length.low > 0.0))
    unlogged = ~ever(view["reward_max"].known)
    something = unlogged & np.isfinite(ratio.low) & np.isfinite(ratio.high) & ~ratio.holds_zero
    return ratio.where(something)


def _per_step_spread(view: View) -> Interval:
    """By how much return over length has differed so far beyond what its digits allow; 0 while one
    constant explains every row, judged from ALIKE_ROWS rows on."""
    ratio = _per_step(view)
    known = ratio.known
    rounding = 1e-9 * np.abs(ratio.middle)
    most_low = running_max(ratio.low - rounding, known)
    least_high = -running_max(-(ratio.high + rounding), known)
    gap = np.where(ever(known), most_low - least_high, 0.0)
    return exact(np.maximum(gap, 0.0), known & (np.cumsum(known) >= ALIKE_ROWS))


def _lengths_vary(view: View) -> Interval:
    vary = varied(view, "episode_length_mean")
    return exact(vary.astype(np.float64), np.ones(len(view), dtype=bool))


# fmt: off
LENGTH = derived("episode_length", "steps", "episode_length_median, else episode_length_mean", _length, "episode_length_median", "episode_length_mean")
WINDOW_LENGTH = derived("episode_length_in_window", "steps", "steps from the first to the last end in the window / ends less one", _window_length, "window_terminated window_truncated")
LENGTH_TO_BEST = derived("length_to_best", "fraction", "median episode length / the largest so far", _length_to_best, "episode_length_median", "episode_length_mean")
MEANT_TO_LAST = derived("meant_to_last", "flag", "1 where a time limit or an earlier episode is longer than 10 steps", _meant_to_last, "", "episode_length_median episode_length_mean", shows="episode_length_mean")
COPIES = derived("copied_episodes", "episodes", "episodes in whole sets of one an environment with one return", _copies, "episode_returns", "reward_min reward_max")
GRADIENT_GAP = derived("gradient_gap", "1", "1 − gradient_cosine", _gradient_gap, "gradient_cosine", shows="gradient_cosine")
PARAMETERS = derived("trainable_parameters", "parameters", "trainable_parameters", _parameters, "", "trainable_parameters")
PER_STEP_SPREAD = derived("return_per_step_spread", "reward", "largest − smallest return / length so far, beyond the digits", _per_step_spread, "episode_return_mean episode_length_mean", shows="episode_return_mean episode_length_mean")
LENGTHS_VARY = derived("lengths_vary", "flag", "1 once mean lengths differed by more than 1 %", _lengths_vary, "episode_length_mean")
# fmt: on
