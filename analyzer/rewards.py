"""What the rewards are: range and rounding, ends of episodes, whether the critic can see them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analyzer.history import ever, so_far, varied
from analyzer.interval import Flags, Floats, Interval, exact, largest
from analyzer.measure import column, derived, last_known
from analyzer.view import View

SWING = 20
"""Rows over which the largest rewards of batches are compared."""
SHORTEST = 0.125
"""Share of the time limit below which no task means its episodes to end."""
DENSE = 0.2
"""Root mean square over the largest reward: √.04, as if one step in 25 paid and the others nothing."""
DENSE_ROWS = 10
LEFT_ROWS = 5
_ENOUGH_RETURNS = 5
"""Mean returns of 0 after which rewards that are not logged are taken to be 0."""


def _reward_range(view: View) -> Interval:
    low, high = view["reward_min"], view["reward_max"]
    full = high - low
    # Printed alike in every digit: equal as far as this log tells.
    alike = low.coarse & high.coarse & (low.middle == high.middle)
    return full.where(~alike).or_else(0.0).where(full.present)


def _reward_size(view: View) -> Interval:
    return largest(view["reward_min"].abs(), view["reward_max"].abs())


def _reward_rounding(view: View) -> Interval:
    return _reward_size(view) * (4.0 * view.eps)


def _early_ends(view: View) -> Interval:
    """Terminations so far; where they are not logged, 1 once episodes of unlike return or length
    were seen (under a constant reward unlike returns are unlike lengths)."""
    counted = view["episodes_terminated"]
    total = np.cumsum(np.where(counted.known, counted.middle, 0.0))
    unlike = varied(view, "episode_length_mean") | varied(view, "episode_return_mean")
    spread = view["episode_return_std"]
    unlike |= ever(spread.known & (spread.low > 0.01 * view["reward_max"].abs().high))
    logged = ever(counted.known)
    number = np.where(logged, total, unlike.astype(np.float64))
    return exact(number, np.ones(len(view), dtype=bool))


def _batch_pays(view: View) -> Interval:
    """0 where every reward of the batch is 0, exactly or as printed; 1 elsewhere or unknown."""
    size = _reward_size(view)
    nothing = size.known & (size.low <= 0.0)
    return exact((~nothing).astype(np.float64), np.ones(len(view), dtype=bool))


def _no_reward_yet(view: View) -> Interval:
    """1 while every reward since the start is 0, exactly or as printed; told by returns if need be."""
    returns = view["episode_return_mean"].abs()
    enough = np.cumsum(returns.known) >= _ENOUGH_RETURNS
    seen = so_far(_reward_size(view)).or_else(so_far(returns).where(enough))
    return exact((seen.low <= 0.0).astype(np.float64), seen.present)


def _same_returns(view: View) -> Interval:
    """Rows so far whose mean return is one and the same number, not 0, where rewards are not logged;
    0 once two differed."""
    returned = view["episode_return_mean"]
    known = returned.known & np.isfinite(returned.middle)
    top, bottom = so_far(returned.where(known)), so_far(-returned.where(known))
    size = so_far(returned.abs().where(known)).middle
    with np.errstate(invalid="ignore"):
        same = (top.middle + bottom.middle <= 4.0 * view.eps * size) & (size > 0.0)
    rows = np.where(same, np.cumsum(known), 0)
    return exact(rows.astype(np.float64), ever(known) & ~ever(_reward_size(view).known))


def _training_reward(view: View) -> Interval:
    """max|r| of the batch in the unit the critic works in."""
    low, high = view["reward_train_min"], view["reward_train_max"]
    return largest(low.or_else(view["reward_min"]).abs(), high.or_else(view["reward_max"]).abs())


def _beyond_rewards(view: View) -> Interval:
    """std(V) over what the largest reward seen so far is worth when paid for ever, or to the horizon."""
    steps = 1.0 / (1.0 - view["gamma"])
    horizon = view.fact("horizon")
    if isinstance(horizon, int | float) and horizon > 0:
        shorter = steps.known & (steps.high <= horizon)
        steps = steps.where(shorter).or_else(float(horizon))
    worth = so_far(_training_reward(view)) * steps
    possible = worth.known & (worth.low > 0.0) & np.isfinite(worth.high)
    return view["value_std"] / worth.where(possible)


def _critic_is_blind(view: View) -> Interval:
    """0 where the critic explains half of its targets: then it sees the rewards, whatever unit this
    log has them in. A critic that is only noise explains less than nothing; 1 where it is not told."""
    explained = view["explained_variance"]
    sees = explained.known & (explained.low >= 0.5)
    return exact((~sees).astype(np.float64), np.ones(len(view), dtype=bool))


def _steps_that_pay(view: View) -> Interval:
    """Steps of the largest size that would make up all reward of the batch: Σ|r| / max|r|, where no
    reward has the other sign."""
    low, high = view["reward_min"], view["reward_max"]
    one_sided = (low.low >= 0.0) | (high.high <= 0.0)
    size = _reward_size(view)
    paid = view["reward_mean"].abs() * view["batch_size"]
    return (paid / size).where(one_sided & size.known & (size.low > 0.0))


def _swing_of_largest(view: View) -> Interval:
    """Upper over lower quartile of the last SWING batches' max|r|: a goal that few of them reach,
    beside small rewards in all, is no swing."""
    if not len(view):
        return view.empty()
    size = _reward_size(view)
    positive = size.known & (size.low > 0.0)
    before = np.full(SWING - 1, np.nan)
    windows = sliding_window_view(
        np.concatenate((before, np.where(positive, size.middle, np.nan))), SWING
    )
    ordered = np.sort(windows, axis=1)  # NaN last
    last = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0)
    row = np.arange(len(view))
    lower = ordered[row, np.ceil(0.25 * last).astype(np.int64)]
    upper = ordered[row, np.floor(0.75 * last).astype(np.int64)]
    with np.errstate(all="ignore"):
        return exact(upper / lower, positive)


def _impossible_values(view: View) -> Interval:
    """Reach of V on the side of 0 where no reward has ever been, over its reach on the other; 0
    where rewards have been on both sides."""
    low, high = view["reward_min"], view["reward_max"]
    negative = ever(low.known & (low.low < 0.0))
    positive = ever(high.known & (high.high > 0.0))
    above, below = view["value_max"], -view["value_min"]
    wrong = np.where(positive, below.middle, above.middle)
    right = np.where(positive, above.middle, below.middle)
    share = np.where(right > 0.0, wrong / np.where(right > 0.0, right, 1.0), np.inf)
    one_sided = positive != negative
    return exact(
        np.where(one_sided, share, 0.0), above.known & below.known & low.known & high.known
    )


def _out_of_reach(view: View) -> Interval:
    """How far the return the environment declares solved is out of reach at a constant reward.

    A gain: the declared return over an episode of full length. A cost: what ends an episode early
    may reach it, unless that would have to be within SHORTEST of the time limit, or it is no cost.
    """
    solved, horizon = view.fact("solved_return"), view.fact("horizon")
    if not isinstance(solved, int | float) or not isinstance(horizon, int | float):
        return view.empty()
    paid = view["reward_max"]
    full = paid * float(horizon)
    gain = float(solved) / full.where(full.known & (full.low > 0.0))
    cost = (full * SHORTEST / float(solved)) if solved < 0.0 else view.empty().or_else(np.inf)
    return gain.or_else(cost.where(paid.known & (paid.high < 0.0))).or_else(0.0).where(paid.known)


def _undeclared(view: View) -> Interval:
    """1 where the environment declares no return or no time limit."""
    missing = view.fact("solved_return") is None or view.fact("horizon") is None
    return exact(np.full(len(view), float(missing)), np.ones(len(view), dtype=bool))


def _pays(view: View) -> Interval:
    """The sign of what every step pays, where that is one sign."""
    low, high = view["reward_min"], view["reward_max"]
    sign = np.where(low.low > 0.0, 1.0, np.where(high.high < 0.0, -1.0, 0.0))
    return exact(sign, low.known & high.known)


def _size_of_all(view: View) -> Interval:
    """Root mean square of the batch's rewards, in the unit they are learnt in."""
    train = view["reward_train_mean"].square() + view["reward_train_std"].square()
    return train.or_else(view["reward_mean"].square() + view["reward_std"].square()).sqrt()


def _sustained(values: Floats) -> Floats:
    """(n,) the largest level so far that DENSE_ROWS values in a row have kept, 0 before."""
    if len(values) < DENSE_ROWS:
        return np.zeros(len(values))
    kept = sliding_window_view(values, DENSE_ROWS).min(axis=1)
    level = np.concatenate((np.zeros(DENSE_ROWS - 1), kept))
    return np.asarray(np.maximum.accumulate(level))


def _dense(view: View) -> Flags:
    """Where more than a few steps of the batch make up its rewards."""
    size, largest_one = _size_of_all(view), _training_reward(view)
    known = size.known & largest_one.known & np.isfinite(size.middle)
    return known & (size.middle >= DENSE * largest_one.middle) & (largest_one.middle > 0.0)


def _rewards_left(view: View) -> Interval:
    """The largest of the last LEFT_ROWS batches' root mean squares over the level that all of ten
    dense batches in a row have kept before. A goal that is missed now and then has no such level."""
    size = _size_of_all(view)
    known = size.known & np.isfinite(size.middle)
    level = _sustained(np.where(_dense(view), size.middle, 0.0))
    recent = np.where(known, size.middle, 0.0)
    if len(recent) >= LEFT_ROWS:
        padded = np.concatenate((np.full(LEFT_ROWS - 1, np.inf), recent))
        recent = sliding_window_view(padded, LEFT_ROWS).max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return exact(recent / level, known & (level > 0.0) & np.isfinite(recent))


def _between(view: View, differs: Flags) -> Flags:
    """Where all that is paid lies strictly between the smallest and the largest reward of each of the
    last DENSE_ROWS batches in a row whose rewards differed: neither of them is what is left over."""
    low, high = view["reward_min"], view["reward_max"]
    if len(view) < DENSE_ROWS:
        return np.zeros(len(view), dtype=bool)
    least = sliding_window_view(np.where(differs, low.high, np.inf), DENSE_ROWS).max(axis=1)
    most = sliding_window_view(np.where(differs, high.low, -np.inf), DENSE_ROWS).min(axis=1)
    before = np.full(DENSE_ROWS - 1, False)
    whole = np.concatenate((before, np.isfinite(least)))
    at = last_known(whole)
    window = np.maximum(at - (DENSE_ROWS - 1), 0)
    inside = (low.low > least[window]) & (high.high < most[window])
    return np.asarray((at >= 0) & inside & low.known & high.known & ~differs)


def _varied_before(view: View) -> Interval:
    """1 where ten dense batches in a row had rewards that differ from step to step, and what is
    paid now is not the largest of those: a task that is mastered pays that in every step. Also
    where it lies between what each of ten batches paid least and most."""
    spread, rounding, largest_one = _reward_range(view), _reward_rounding(view), view["reward_max"]
    unlike = spread.known & (spread.low > rounding.high)
    differs = unlike & _dense(view)
    varied_rows = _sustained(differs.astype(np.float64)) > 0.0
    best = so_far(largest_one.where(differs))
    mastered = (largest_one - best).abs().middle <= 0.01 * best.abs().middle
    replaced = (varied_rows & ~mastered) | _between(view, unlike)
    return exact(replaced.astype(np.float64), np.ones(len(view), dtype=bool))


def _worth_to_step(view: View) -> Interval:
    """The most the rewards so far could add up to, over one step of the critic's Adam."""
    rate = view["vf_lr"]
    worth = so_far(_training_reward(view)) * (1.0 / (1.0 - view["gamma"]))
    possible = worth.known & (worth.low > 0.0) & np.isfinite(worth.high)
    return (worth / rate.where(rate.low > 0.0)).where(possible)


# fmt: off
REWARD_RANGE = derived("reward_range", "reward", "max r − min r", _reward_range, "reward_min reward_max", shows="reward_min reward_max")
REWARD_ROUNDING = derived("reward_rounding", "reward", "4ε·max|r|", _reward_rounding, "reward_min reward_max")
REWARD_SIZE = derived("reward_size", "reward", "max|r|", _reward_size, "reward_min reward_max")
EARLY_ENDS = derived("terminations", "flag", "episodes ended early since the start", _early_ends, "", "episodes_terminated episode_length_mean episode_return_mean episode_return_std", shows="episodes_terminated")
BATCH_PAYS = derived("batch_pays", "flag", "0 where every reward of the batch is 0", _batch_pays, "", "reward_min reward_max")
NO_REWARD_YET = derived("no_reward_yet", "flag", "1 while every reward since the start is 0", _no_reward_yet, "reward_min reward_max", "episode_return_mean", shows="reward_min reward_max episode_return_mean")
SAME_RETURNS = derived("same_returns", "iterations", "rows so far whose mean return is one number, where rewards are not logged", _same_returns, "episode_return_mean", "reward_min reward_max", shows="episode_return_mean")
BEYOND_REWARDS = derived("value_beyond_rewards", "1", "std(V) / (largest |r| so far · min(1/(1−γ), horizon))", _beyond_rewards, "value_std reward_min reward_max gamma", "reward_train_min reward_train_max", shows="value_std reward_max")
CRITIC_IS_BLIND = derived("critic_is_blind", "flag", "1 unless the critic explains half of its targets' variance", _critic_is_blind, "", "explained_variance", shows="explained_variance")
STEPS_THAT_PAY = derived("steps_that_pay", "steps", "Σ|r| / max|r| of the batch", _steps_that_pay, "reward_mean reward_min reward_max batch_size", shows="reward_mean reward_max")
SWING_OF_LARGEST = derived("swing_of_largest_reward", "1", f"upper / lower quartile of the last {SWING} batches' max|r|", _swing_of_largest, "reward_min reward_max")
IMPOSSIBLE_VALUES = derived("impossible_values", "fraction", "reach of V on the side of 0 where no reward has been / on the other", _impossible_values, "value_min value_max reward_min reward_max", shows="value_min value_max")
EXPLAINED_VARIANCE = column("explained_variance")
OUT_OF_REACH = derived("declared_over_reachable", "1", f"declared return / (horizon · r); for a cost, {SHORTEST:g}·horizon · r / declared return", _out_of_reach, "reward_max")
PAYS = derived("pays", "flag", "sign of what every step pays", _pays, "reward_min reward_max")
REWARDS_LEFT = derived("rewards_left", "fraction", f"largest √(mean r²) of {LEFT_ROWS} rows / the level {DENSE_ROWS} rows kept before", _rewards_left, "reward_mean reward_std reward_min reward_max", "reward_train_mean reward_train_std reward_train_min reward_train_max", shows="reward_min reward_max")
VARIED_BEFORE = derived("varied_before", "flag", f"1 where {DENSE_ROWS} batches in a row had rewards that differ, the largest another than now", _varied_before, "reward_min reward_max", "reward_mean reward_std")
WORTH_TO_STEP = derived("worth_to_step", "1", "largest |r| so far / (1−γ) / vf_lr", _worth_to_step, "reward_min reward_max gamma vf_lr", "reward_train_min reward_train_max", shows="reward_max")
UNDECLARED = derived("no_declared_return", "flag", "1 where the environment declares no return or time limit", _undeclared, "")
# fmt: on
