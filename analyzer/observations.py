"""What the policy sees: dimensions that stand still, numbers out of the normaliser's range."""

import numpy as np

from analyzer.history import ever, running_max
from analyzer.interval import Interval, exact
from analyzer.measure import column, derived
from analyzer.trends import noise_so_far
from analyzer.view import View

AROUND = 5
"""Returns before and after dimensions died that are compared."""
EARLY = 10
"""Rows that say what is usual in a run."""


def early_largest(x: Interval) -> Interval:
    """The largest number in the first EARLY rows that have one, or so far before that."""
    known = x.known
    early = known & (np.cumsum(known) <= EARLY)
    largest = running_max(np.where(early, x.middle, -np.inf), early)
    return exact(largest, ever(known))


def _newly_dead(view: View) -> Interval:
    """Dimensions that stand still beyond the most that did in the first rows."""
    dead = view["observation_dead_dimensions"]
    return dead - early_largest(dead)


def _fall_since_death(view: View) -> Interval:
    """How far the return fell when dimensions died: the mean of up to AROUND returns before that
    row less the mean of up to AROUND from it on, in standard errors; 0 where less than a quarter
    was lost. It stands as long as they are dead, though the policy may learn to do without them."""
    dead, returns = _newly_dead(view), view["episode_return_mean"]
    gone = dead.known & (dead.middle > 0.0)
    died = np.diff(gone.astype(np.int8), prepend=0, append=0)
    fell, judged = np.zeros(len(view)), dead.known & ~gone
    rows = np.flatnonzero(returns.known & np.isfinite(returns.middle))
    values = returns.middle[rows]
    noise = noise_so_far(values)
    for start, end in zip(np.flatnonzero(died > 0), np.flatnonzero(died < 0), strict=True):
        first = int(np.searchsorted(rows, start))
        before = values[max(first - AROUND, 0) : first]
        for number in range(3, AROUND + 1) if len(before) >= 3 else ():
            after = values[first : first + number]
            if len(after) < number or rows[first + number - 1] >= end:
                break
            loss = float(before.mean() - after.mean())
            error = float(noise[first - 1]) * np.sqrt(1.0 / len(before) + 1.0 / number)
            lost = loss > 0.25 * abs(float(before.mean())) and error > 0.0
            told = slice(rows[first + number - 1], end)
            fell[told], judged[told] = loss / error if lost else 0.0, True
    return exact(fell, judged)


def _dead_share(view: View) -> Interval:
    dimension = view.fact("observation_dim")
    if not isinstance(dimension, int | float) or dimension <= 0:
        return view.empty()
    return view["observation_dead_dimensions"] / float(dimension)


def _newly_dead_share(view: View) -> Interval:
    dimension = view.fact("observation_dim")
    if not isinstance(dimension, int | float) or dimension <= 0:
        return view.empty()
    return _newly_dead(view) / float(dimension)


def _died_at_once(view: View) -> Interval:
    """Largest share of the dimensions that died from one row to the next, after the first rows."""
    share = _newly_dead_share(view)
    died = np.diff(np.where(share.known, share.middle, np.nan), prepend=np.nan)
    known = np.isfinite(died)
    return exact(running_max(died, known), ever(known))


def _growth(view: View) -> Interval:
    """Largest deviation of a dimension over the largest in the first rows."""
    spread = view["observation_std_max"]
    usual = early_largest(spread)
    return spread / usual.where(usual.low > 0.0)


def _more_clipped(view: View) -> Interval:
    clipped = view["observation_clip_fraction"]
    return clipped - early_largest(clipped)


# fmt: off
DEAD = column("observation_dead_dimensions")
NEWLY_DEAD = derived("newly_dead_dimensions", "dimensions", f"dead dimensions − the most in the first {EARLY} rows", _newly_dead, "observation_dead_dimensions", shows="observation_dead_dimensions")
FALL_SINCE_DEATH = derived("fall_since_death", "standard errors", f"mean of {AROUND} returns before dimensions died − mean of {AROUND} after", _fall_since_death, "observation_dead_dimensions episode_return_mean", shows="episode_return_mean")
DEAD_SHARE = derived("dead_share", "fraction", "observation_dead_dimensions / observation_dim", _dead_share, "observation_dead_dimensions", shows="observation_dead_dimensions")
NEWLY_DEAD_SHARE = derived("newly_dead_share", "fraction", "newly dead dimensions / observation_dim", _newly_dead_share, "observation_dead_dimensions", shows="observation_dead_dimensions")
DIED_AT_ONCE = derived("died_at_once", "fraction", "largest rise so far of newly_dead_share from one iteration to the next", _died_at_once, "observation_dead_dimensions", shows="observation_dead_dimensions")
CLIPPED = column("observation_clip_fraction")
MORE_CLIPPED = derived("more_clipped", "fraction", f"observation_clip_fraction − the largest in the first {EARLY} rows", _more_clipped, "observation_clip_fraction", shows="observation_clip_fraction")
GROWTH = derived("observation_growth", "1", f"observation_std_max / the largest in the first {EARLY} rows", _growth, "observation_std_max", shows="observation_std_max")
SATURATED = column("saturated_units_fraction")
# fmt: on
