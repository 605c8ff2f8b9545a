"""Whether rewards can be learnt from: do they follow the state, and does their unit stand still?"""

import numpy as np

from analyzer.history import ever, so_far
from analyzer.interval import Floats, Interval, exact
from analyzer.measure import column, derived
from analyzer.trends import last_means
from analyzer.view import View

WALK = 15
"""Rows whose episodes are pooled."""
WALK_EPISODES = 12
"""Degrees of freedom from which on a pooled variance says something: its error is then 40 %."""
DRIFT = 10
"""Rows over which the unit of the rewards is compared."""
MOVED = 0.02
"""log of the move in one row that is beyond rounding and beyond what is logged of the rewards."""


def _last_sum(values: Floats, size: int) -> Floats:
    """(n,) sum of the last `size` values, fewer at the start."""
    return last_means(np.concatenate((np.zeros(size - 1), values)), size) * size


def _random_walk(view: View) -> Interval:
    """Variance of the episodes' returns over length · variance of a step's reward, pooled.

    Returns of rewards that are drawn independently are a random walk: the variances add up, and
    this is 1. Rewards that follow the state come in stretches and make it larger by far.
    """
    ended = view["episodes_terminated"] + view["episodes_truncated"]
    mean, spread = view["episode_return_mean"], view["episode_return_std"]
    length, step = view["episode_length_mean"], view["reward_std"]
    usable = ended.known & (ended.middle >= 1.0)
    for part in (mean, spread, length, step):
        usable &= part.known & np.isfinite(part.middle)
    number = np.where(usable, ended.middle, 0.0)
    kept = (np.where(usable, part.middle, 0.0) for part in (mean, spread, length, step))
    centre, deviation, steps, sigma = kept
    count = _last_sum(number, WALK)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled_mean = _last_sum(number * centre, WALK) / count
        squares = _last_sum(number * (deviation**2 + centre**2), WALK) - count * pooled_mean**2
        walk = _last_sum(number * steps * sigma**2, WALK) * (count - 1.0) / count
        return exact(squares / walk, (count > WALK_EPISODES) & (walk > 0.0))


def _extremes_vary(view: View) -> Interval:
    """1 where the batch's smallest and largest reward both differ from those of the batch before,
    as those of drawn numbers do; a goal, a win or a loss always pays the same."""
    low, high = view["reward_min"], view["reward_max"]
    known = np.zeros(len(view), dtype=bool)
    differs = np.zeros(len(view))
    known[1:] = (low.known & high.known)[1:] & (low.known & high.known)[:-1]
    differs[1:] = (low.middle[1:] != low.middle[:-1]) & (high.middle[1:] != high.middle[:-1])
    return exact(differs, known)


def _tail(view: View) -> Interval:
    """Range of the batch's rewards over their deviation: about 6.5 for a thousand normal numbers,
    √N where one step holds all of it."""
    spread = view["reward_std"]
    span = view["reward_max"] - view["reward_min"]
    return span / spread.where(spread.known & (spread.low > 0.0))


def _best_r2(view: View) -> Interval:
    return so_far(view["reward_r2"])


def _own_size(view: View) -> Floats:
    """(n,) log of what one stretch of the rewards themselves adds up to: their root mean square
    times the length of an episode, as far as the discount sees it."""
    square = view["reward_mean"].square() + view["reward_std"].square()
    sees = 1.0 / (1.0 - view["gamma"].or_else(0.99).middle)
    length = np.minimum(so_far(view["episode_length_mean"]).or_else(1.0).middle, sees)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(0.5 * np.log(square.middle) + np.log(np.maximum(length, 1.0)))


def _age(scale: Floats) -> Floats:
    """(n,) rows since the unit first differed from 1, 0 before."""
    moved = ever(scale != 1.0)
    return np.cumsum(moved).astype(np.float64)


def _drift(view: View, rows: int) -> Interval:
    """|log| of the unit's change over so many rows beyond what is explained.

    A running average over k batches falls by at most ½·log(k/(k − rows)), whatever the rewards do,
    and it rises no more than they do.
    """
    n = len(view)
    scale = view["reward_scale"]
    age, own = _age(scale.middle), _own_size(view)
    highest = np.maximum.accumulate(np.where(np.isfinite(own), own, -np.inf)) if n else own
    beyond, known = np.zeros(n), np.zeros(n, dtype=bool)
    if n > rows:
        later, earlier = slice(rows, None), slice(None, -rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = np.log(scale.middle)
            change = unit[later] - unit[earlier]
            averaging = 0.5 * np.log(age[later] / (age[later] - rows))
            # Over one row the rewards' own noise would hide a drift.
            shrunk = np.maximum(own[earlier] - own[later], 0.0) if rows > 1 else 0.0
            grown = highest[later] - highest[earlier]
            beyond[later] = np.where(
                change < 0.0, -change - np.maximum(averaging, shrunk), change - grown
            )
        known[later] = (scale.known[later] & scale.known[earlier]) & np.isfinite(beyond[later])
        known[later] &= (age[later] > rows) | (age[later] == 0.0)
        beyond[later] = np.where(age[later] == 0.0, 0.0, beyond[later])
    return exact(np.maximum(beyond, 0.0), known)


# fmt: off
R2 = column("reward_r2")
EXPLAINED_VARIANCE = column("explained_variance")
TAIL = derived("reward_tail", "1", "(reward_max − reward_min) / reward_std", _tail, "reward_min reward_max reward_std")
BEST_R2 = derived("best_reward_r2", "fraction", "largest reward_r2 so far", _best_r2, "reward_r2")
RANDOM_WALK = derived("random_walk", "1", f"Var(return) / (length · Var(reward)) over the last {WALK} rows", _random_walk, "episode_return_mean episode_return_std episode_length_mean episodes_terminated episodes_truncated reward_std", shows="episode_return_std reward_std")
EXTREMES_VARY = derived("extremes_vary", "flag", "1 where reward_min and reward_max differ from the row before", _extremes_vary, "reward_min reward_max", shows="reward_min reward_max")
UNIT_DRIFT = derived("unit_drift", "1", f"|Δ log reward_scale| over {DRIFT} rows beyond what averaging and the rewards explain", lambda v: _drift(v, DRIFT), "reward_scale reward_mean reward_std", "episode_length_mean gamma", shows="reward_scale")
UNIT_STEP = derived("unit_step", "1", "|Δ log reward_scale| in one row beyond what averaging and the rewards explain", lambda v: _drift(v, 1), "reward_scale reward_mean reward_std", "episode_length_mean gamma")
# fmt: on
