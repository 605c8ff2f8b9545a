"""Trends of the return: has it risen lately, has it fallen from its best. Every number is causal."""

from collections.abc import Callable

import numpy as np

from analyzer.history import ever, so_far
from analyzer.interval import Flags, Floats, Interval, exact
from analyzer.measure import derived, last_known
from analyzer.view import View

MEAN_OF = 10
"""Rows in a mean that is compared with another one."""
BLOCKS = 10
"""Block means in one Mann-Kendall test: 45 pairs."""
LONG = 10
"""Rows in a block of the test over 100 rows, for a plateau."""
TOO_MUCH = 10.0
"""Times the declared return that no learning brings: the reward's unit is another one."""
RISEN = 1.645
"""z of a Mann-Kendall test from which on a rise is believed: one in twenty of chance, one-sided."""


def last_means(values: Floats, size: int) -> Floats:
    """(m − size + 1,) mean of each `size` values in a row; no running sum, so no lasting rounding."""
    kept = max(len(values) - size + 1, 0)
    total = np.zeros(kept)
    for k in range(size):
        total += values[k : k + kept]
    return total / size


def mann_kendall(values: Floats, block: int) -> Floats:
    """(m,) z of the Mann-Kendall trend test over the last BLOCKS · block values, NaN before.

    The test is made on block means: on single rows, autocorrelation of .7 to .95 gives 43–69 %
    false trends. Ties count nothing. Source: Kendall, Rank Correlation Methods, 1975.
    """
    m, span = len(values), BLOCKS * block
    z = np.full(m, np.nan)
    if m < span:
        return z
    means = last_means(values, block)
    size = m - span + 1
    score = np.zeros(size, dtype=np.int16)
    for lag in range(1, BLOCKS):
        gap = lag * block
        sign = np.sign(means[gap:] - means[:-gap]).astype(np.int16)
        for k in range(BLOCKS - lag):
            score += sign[k * block : k * block + size]
    deviation = np.sqrt(BLOCKS * (BLOCKS - 1) * (2 * BLOCKS + 5) / 18.0)
    z[span - 1 :] = (score - np.sign(score)) / deviation
    return z


def noise_so_far(values: Floats) -> Floats:
    """(m,) noise of one value, from differences of neighbours: a trend does not inflate it."""
    steps = np.concatenate(([0.0], np.cumsum(np.diff(values) ** 2)))[: len(values)]
    return np.asarray(np.sqrt(steps / np.maximum(np.arange(len(values)), 1) / 2.0))


def trend_of(x: Interval, of: Callable[[Floats], Floats]) -> Interval:
    """A number for every finite value of x by `of` (NaN: too early), carried on to later rows."""
    n = len(x)
    rows = np.flatnonzero(x.known & np.isfinite(x.middle))
    found = of(x.middle[rows])
    rows, found = rows[np.isfinite(found)], found[np.isfinite(found)]
    if not len(rows):
        return exact(np.full(n, np.nan), np.zeros(n, dtype=bool))
    judged = np.zeros(n, dtype=bool)
    judged[rows] = True
    at = np.cumsum(judged) - 1
    return exact(found[np.maximum(at, 0)], at >= 0)


def told_by_reward(view: View) -> Flags:
    """Where the mean reward of a step tells the episodes' return: none has ended yet, or the log says
    that all so far went on to their time limit."""
    ended = ever(view["episode_return_mean"].known)
    counted = view["episodes_terminated"]
    early = ever(counted.known & (counted.low > 0.0))
    return ~ended | (ever(counted.known) & ~early)


def progress(view: View, of: Callable[[Floats], Floats]) -> Interval:
    """A trend of the episodes' mean return; of the mean reward where that tells it sooner."""
    instead = told_by_reward(view)
    by_return = trend_of(view["episode_return_mean"], of)
    by_reward = trend_of(view["reward_mean"].where(instead), of)
    ended = ever(view["episode_return_mean"].known)
    return by_return.where(ended).or_else(by_reward.where(instead))


def _fall(values: Floats) -> tuple[Floats, Floats, Floats]:
    """(m,) each: the best mean of MEAN_OF values before the last MEAN_OF, less the mean of these;
    the standard error of that difference; and how far that best lies above the first mean."""
    m = len(values)
    fall, error, gained = (np.full(m, np.nan) for _ in range(3))
    if m < 2 * MEAN_OF:
        return fall, error, gained
    means = last_means(values, MEAN_OF)
    best = np.maximum.accumulate(means[:-MEAN_OF])
    last = slice(2 * MEAN_OF - 1, None)
    fall[last] = best - means[MEAN_OF:]
    size = np.maximum.accumulate(np.abs(values))
    # Equal numbers have no noise, but a rounding of their mean.
    error[last] = np.maximum(noise_so_far(values) * np.sqrt(2.0 / MEAN_OF), 1e-12 * size)[last]
    gained[last] = best - means[0]
    return fall, error, gained


def fall_in_errors(values: Floats) -> Floats:
    """(m,) fall from the best mean of MEAN_OF values, in standard errors of the difference."""
    fall, error, _ = _fall(values)
    return fall / error


def fall_of_gain(values: Floats) -> Floats:
    """(m,) fall from the best mean over what had been gained until then; 0 where that is nothing."""
    fall, error, gained = _fall(values)
    some = gained > error
    share = np.where(some, fall / np.where(some, gained, 1.0), 0.0)
    return np.where(np.isnan(fall), np.nan, share)


def _fall_of_speed(values: Floats) -> Floats:
    """(m,) mean of the last MEAN_OF values over the best such mean before them."""
    share = np.full(len(values), np.nan)
    if len(values) >= 2 * MEAN_OF:
        means = last_means(values, MEAN_OF)
        share[2 * MEAN_OF - 1 :] = means[MEAN_OF:] / np.maximum.accumulate(means[:-MEAN_OF])
    return share


def _believable(view: View) -> Interval:
    """0 where the declared return was not reached by learning: never below it in a run that began
    here, ten times as much, or rewards that all but stopped to differ, far from what was paid
    before. A task that is solved ends with the reward its policy was approaching."""
    returned, solved = view["episode_return_mean"], view.fact("solved_return")
    number = view.iterations.middle
    believed = np.ones(len(view), dtype=bool)
    if isinstance(solved, int | float) and len(view):
        below = ever(returned.known & (returned.low < float(solved)))
        believed &= below | (number[0] > 1.0) | view.imported
        if solved > 0:
            believed &= ~(returned.known & (returned.low > TOO_MUCH * float(solved)))
    low, high, mean = view["reward_min"], view["reward_max"], view["reward_mean"]
    spread = high - low
    widest = so_far(spread)
    told = spread.known & mean.known & (widest.low > 0.0)
    shrunk = told & (spread.high < 0.01 * widest.low)
    before = last_known(told & ~shrunk)
    far = np.abs(high.middle - mean.middle[np.maximum(before, 0)]) > 0.05 * widest.middle
    replaced = shrunk & (before >= 0) & far
    return exact((believed & ~replaced).astype(np.float64), np.ones(len(view), dtype=bool))


def _no_progress(values: Floats) -> Floats:
    z = mann_kendall(values, 2)
    return np.where(np.isnan(z), np.nan, (z < RISEN).astype(np.float64))


# fmt: off
NO_PROGRESS_20 = derived("no_progress", "flag", "1 where the return has not risen over the last 20 values (Mann-Kendall)", lambda v: progress(v, _no_progress), "", "episode_return_mean reward_mean", shows="episode_return_mean")
RETURN_FELL = derived("return_fell", "standard errors", f"best mean of {MEAN_OF} returns before the last {MEAN_OF} − their mean", lambda v: progress(v, fall_in_errors), "", "episode_return_mean reward_mean")
RETURN_FELL_SHARE = derived("return_lost", "fraction", "fall from the best mean / what had been gained until then", lambda v: progress(v, fall_of_gain), "", "episode_return_mean reward_mean", shows="episode_return_mean")
TREND_100 = derived("trend", "standard errors", f"Mann-Kendall z over the last {BLOCKS * LONG} returns, in blocks of {LONG}", lambda v: progress(v, lambda x: mann_kendall(x, LONG)), "", "episode_return_mean reward_mean", shows="episode_return_mean")
SPEED_SHARE = derived("speed_share", "fraction", f"mean steps_per_second of {MEAN_OF} rows / the best such mean before", lambda v: trend_of(v["steps_per_second"], _fall_of_speed), "steps_per_second", shows="steps_per_second")
BELIEVABLE = derived("return_believable", "flag", "0 where the declared return was not reached by learning", _believable, "", "episode_return_mean reward_min reward_max reward_mean")
# fmt: on
