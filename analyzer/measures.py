"""Derived columns that are no identities: rounding bounds, what has been seen so far."""

import numpy as np

from analyzer.history import ever, so_far, varied
from analyzer.identities import CANDIDATE_MOTION, LOG_PROB_SPREAD, log_ratio_std
from analyzer.interval import Flags, Interval, exact, largest
from analyzer.measure import column, derived, last_known
from analyzer.rewards import REWARD_RANGE
from analyzer.trends import noise_so_far, told_by_reward
from analyzer.view import View

WINDOW = 10
"""Rows averaged to say whether the return has risen."""
KL_IS_ROUNDING = 1024.0
"""A trust region below this many rounding units is no trust region."""

UNBOUNDED = 1e6
"""Half an action range that is no range: the largest number of a type, declared as a bound."""
SUM_OF_ZEROS = 1e-9
"""A KL at or below this is rounding: no trust region anyone means is that small, nats."""

CHAIN: tuple[str, ...] = (
    "log_std_mean", "entropy", "action_log_prob_mean", "observation_abs_max",
    "reward_mean", "reward_std", "reward_min", "reward_max", "reward_train_mean",
    "value_mean", "value_std", "value_loss", "return_mean", "return_std",
    "advantage_raw_mean", "advantage_raw_std", "advantage_mean", "advantage_std",
    "policy_loss_before", "gradient_norm", "step_direction_norm", "cg_residual", "curvature",
    "full_step_norm", "expected_improvement", "kl_full_step", "actual_improvement",
    "step_parameter_delta_norm", "policy_parameter_norm", "parameter_delta_norm",
    "policy_loss", "kl", "ratio_mean", "ratio_std", "log_ratio_std", "entropy_after",
    "value_loss_after", "value_parameter_delta_norm",
)  # fmt: skip
"""Columns in which a non-finite number stops learning, in the order of the update. Returns of
episodes, explained variance and ratios of two zeros are left out: there NaN means "none yet"."""


def _advantage_std(view: View) -> Interval:
    return view["advantage_raw_std"].or_else(view["advantage_std"])


def _advantage_rounding(view: View) -> Interval:
    low, high = view["reward_train_min"], view["reward_train_max"]
    size = largest(
        low.or_else(view["reward_min"]).abs(), high.or_else(view["reward_max"]).abs(),
        view["value_min"].abs(), view["value_max"].abs(),
        view["return_min"].abs(), view["return_max"].abs(),
    )  # fmt: skip
    return size * (32.0 * view.eps)


def _gradient_rounding(view: View) -> Interval:
    score = (-view["log_std_mean"]).exp().or_else(1.0)
    return view["advantage_std"].or_else(1.0) * score * (1024.0 * view.eps)


def _step_rounding(view: View) -> Interval:
    return view["policy_parameter_norm"] * (32.0 * view.eps)


def _non_finite(view: View) -> Interval:
    """Place in CHAIN of the first non-finite column, −1 where all are finite."""
    place = np.full(len(view), -1.0)
    present = np.zeros(len(view), dtype=bool)
    for k, name in reversed(tuple(enumerate(CHAIN))):
        if name in view.run.types:
            x = view[name]
            present |= x.present
            place[x.present & ~np.isfinite(x.middle)] = k
    return exact(place, present)


def _non_finite_before(view: View) -> Interval:
    place = _non_finite(view)
    bad = place.present & (place.middle >= 0.0)
    return exact(np.cumsum(bad).astype(np.float64), np.ones(len(view), dtype=bool))


def _trust_region_rounding(view: View) -> Interval:
    """max_kl over what KL and log ratios can resolve: float64 sums, log ratios of the policy's type."""
    eps64 = float(np.finfo(np.float64).eps)
    ratio = 0.5 * (KL_IS_ROUNDING * view.eps) ** 2
    return view["max_kl"] / max(KL_IS_ROUNDING * eps64, ratio)


def _logged_max_kl(view: View) -> Interval:
    """δ from I1 where the log does not say it: expected_improvement·‖s‖/2‖x‖."""
    x = view["step_direction_norm"]
    return view["max_kl"].or_else(
        (view["expected_improvement"] * view["full_step_norm"] / x * 0.5).where(x.low > 0.0)
    )


def _policy_moved(view: View) -> Interval:
    """How far the policy surely moved, in units of the smallest move that shows."""
    moved = view["step_parameter_delta_norm"].or_else(view["parameter_delta_norm"])
    return moved / (view["policy_parameter_norm"].or_else(1.0) * (1e4 * view.eps))


def _at_most(x: Interval, rounding: Interval) -> Flags:
    """Where x is at rounding level, or printed 0."""
    bound = rounding.or_else(0.0)
    return x.known & ((x.high <= bound.high) | (x.coarse & x.holds_zero)) & np.isfinite(bound.high)


def _rejected(view: View) -> Interval:
    outcome = view.run.column("update_outcome")
    success = view["line_search_success"]
    told = np.isin(outcome.values.astype(object), ("accepted", "rejected")) & outcome.present
    rejected = np.where(told, outcome.values == "rejected", success.middle < 0.5)
    # Without advantages or gradient there is nothing a search could find: that is upstream.
    dead = _at_most(_advantage_std(view), _advantage_rounding(view))
    dead |= _at_most(view["gradient_norm"], _gradient_rounding(view))
    return exact(rejected.astype(np.float64), (told | success.known) & ~(dead & rejected))


def _skipped_gradient(view: View) -> Interval:
    """1 where the trainer skipped its update over a gradient of 0 that it did not print."""
    outcome = view.run.column("update_outcome")
    skipped = outcome.values.astype(object) == "skipped-gradient"
    untold = outcome.present & ~view["gradient_norm"].known
    return exact(np.asarray(skipped, dtype=np.float64), untold)


def _accepted_step(view: View) -> Interval:
    """‖s‖ of steps whose search succeeded, where nothing says more directly whether θ moved."""
    rejected = _rejected(view)
    told = _policy_moved(view).known | CANDIDATE_MOTION.of(view).known
    return view["full_step_norm"].where(rejected.known & (rejected.middle == 0.0) & ~told)


def _kl_zero(view: View) -> Interval:
    """1 where KL is 0: a sum of zeros, or printed 0 with at least four decimals."""
    kl = view["kl"]
    # No divergence is below 0: one that is printed so is rounding.
    zero = kl.known & ((kl.high <= SUM_OF_ZEROS) | (kl.holds_zero & (kl.high <= 1e-4)))
    told = kl.known & (zero | ~kl.holds_zero)
    return exact(zero.astype(np.float64), told)


def _kl_always_zero(view: View) -> Interval:
    """1 while every KL so far is 0."""
    zero = _kl_zero(view)
    alive = ever(zero.present & (zero.middle == 0.0))
    return exact((~alive).astype(np.float64), ever(zero.present))


def _rise_of(x: Interval) -> Interval:
    rows = np.flatnonzero(x.known)
    n = len(x)
    if len(rows) < 2 * WINDOW:
        return exact(np.full(n, np.nan), np.zeros(n, dtype=bool))
    values = x.middle[rows]
    total = np.concatenate(([0.0], np.cumsum(values)))
    average = (total[WINDOW:] - total[:-WINDOW]) / WINDOW
    best = np.maximum.accumulate(average[WINDOW:])
    size = np.maximum.accumulate(np.abs(values))
    error = np.maximum(noise_so_far(values) * np.sqrt(2.0 / WINDOW), 1e-12 * size + 1e-300)
    judged = rows[2 * WINDOW - 1 :]
    z = (best - average[0]) / error[2 * WINDOW - 1 :]
    at = np.searchsorted(judged, np.arange(n), side="right") - 1
    return exact(z[np.maximum(at, 0)], at >= 0)


def _rise(view: View) -> Interval:
    """Best average of WINDOW rows so far over the first one, in standard errors of the difference:
    of the episodes' return, or of the mean reward where that tells it sooner."""
    by_return, by_reward = _rise_of(view["episode_return_mean"]), _rise_of(view["reward_mean"])
    ended = ever(view["episode_return_mean"].known)
    return by_return.where(ended).or_else(by_reward.where(told_by_reward(view)))


def _learning_iterations(view: View) -> Interval:
    """Iteration number once 200,000 steps are done, else 0: enough to expect a better return."""
    steps = view["timesteps"]
    numbers = view.iterations.middle
    return exact(np.where(steps.middle >= 200_000.0, numbers, 0.0), steps.known)


def _return_margin(view: View) -> Interval:
    solved = view.fact("solved_return")
    if not isinstance(solved, int | float):
        return view.empty()
    return view["episode_return_mean"] - float(solved)


def _unsolved(view: View) -> Interval:
    """0 where the latest return is one at which the environment declares itself solved."""
    margin = _return_margin(view)
    at = last_known(margin.known)
    solved = (at >= 0) & (margin.low[np.maximum(at, 0)] >= 0.0)
    return exact((~solved).astype(np.float64), np.ones(len(view), dtype=bool))


def _return_moved(view: View) -> Interval:
    """1 once returns differed within this log, or where the log starts after iteration 1."""
    started_late = view.iterations.middle[:1] > 1.0 if len(view) else np.zeros(0, dtype=bool)
    moved = varied(view, "episode_return_mean") | (started_late.any() & (not view.imported))
    return exact(moved.astype(np.float64), np.ones(len(view), dtype=bool))


def _cap_gap(view: View) -> Interval:
    """Distance of this row's worst episode from the best return ever seen, over that return."""
    worst, best = view["episode_return_min"], so_far(view["episode_return_max"])
    return (best - worst) / best.abs()


def _absorbed(view: View) -> Interval:
    """Share of the returns' spread that the advantages keep."""
    raw = view["advantage_raw_std"]
    spread = view["return_std"]
    return (raw / spread).where(spread.known & (spread.low > 0.0))


def _contradicted(view: View) -> Interval:
    """1 where the value loss of the sampling critic is far above the advantages' mean square."""
    raw = view["advantage_raw_std"].square() + view["advantage_raw_mean"].square()
    loss = view["value_loss"]
    both = raw.known & loss.known
    return exact((loss.low > 4.0 * raw.high).astype(np.float64), both)


def _own_definitions(view: View) -> Interval:
    """1 where the trainer wrote declared columns itself, 0 where a foreign log was read."""
    return exact(np.full(len(view), float(not view.imported)), np.ones(len(view), dtype=bool))


def _expected_improvement(view: View) -> Interval:
    """gᵀs, where the direction before it does not point downhill by itself (gᵀx, xᵀAx ≤ 0)."""
    promised = view["expected_improvement"]
    down = view["curvature"].known & (view["curvature"].low <= 0.0)
    slope = view["gradient_dot_direction"]
    return promised.where(~down & ~(slope.known & (slope.low <= 0.0)) & promised.finite)


def _always_rejected(view: View) -> Interval:
    """Failed searches in a row since the start of the log; 0 once one succeeded."""
    rejected = _rejected(view)
    failed = rejected.known & (rejected.middle == 1.0)
    succeeded = ever(rejected.known & ~failed)
    return exact(np.where(succeeded, 0, np.cumsum(failed)).astype(np.float64), rejected.known)


def _log_probs_alike(view: View) -> Interval:
    """1 unless a window of log-probabilities so far spreads like a Gaussian's own samples, as
    those of a squashed policy do."""
    spread = LOG_PROB_SPREAD.of(view)
    at = last_known(spread.known)
    wide = (at >= 0) & (spread.middle[np.maximum(at, 0)] > 0.5)
    return exact((~wide).astype(np.float64), np.ones(len(view), dtype=bool))


def _half_range_sigma(view: View) -> Interval:
    """log of the largest σ over half the action range (over 1 where actions are unbounded)."""
    low, high = view.fact("action_low"), view.fact("action_high")
    half = 1.0
    if isinstance(low, list | tuple) and isinstance(high, list | tuple) and len(low):
        widths = 0.5 * (np.asarray(high, dtype=np.float64) - np.asarray(low, dtype=np.float64))
        if (widths > 0).all() and (widths < UNBOUNDED).all():
            half = float(widths.min())
    sigma = view["log_std_max"].or_else(view["log_std_mean"])
    return sigma - float(np.log(half))


# fmt: off
ADVANTAGE_STD = derived("advantage_raw_std", "training reward", "std of the raw advantages", _advantage_std, "advantage_raw_std", "advantage_std")
ADVANTAGE_ROUNDING = derived("advantage_rounding", "training reward", "32ε·max(|r|, |V|)", _advantage_rounding, "", "reward_train_min reward_train_max reward_min reward_max value_min value_max return_min return_max")
GRADIENT_NORM = column("gradient_norm")
GRADIENT_ROUNDING = derived("gradient_rounding", "1/parameter", "1024ε·std(Â)·exp(−mean log σ)", _gradient_rounding, "", "advantage_std log_std_mean")
DIRECTION_NORM = column("step_direction_norm")
NOTHING = derived("zero", "1", "0", lambda v: v.empty().or_else(0.0), "")
STEP_NORM = column("full_step_norm")
STEP_ROUNDING = derived("step_rounding", "parameter", "32ε·‖θ‖", _step_rounding, "", "policy_parameter_norm")
KL = column("kl")
KL_ZERO = derived("kl_is_zero", "flag", "1 where KL is 0, exactly or as printed", _kl_zero, "kl", shows="kl")
KL_ALWAYS_ZERO = derived("kl_always_zero", "flag", "1 while every KL so far is 0, exactly or as printed", _kl_always_zero, "kl", shows="update_outcome kl")
NON_FINITE = derived("non_finite", "", "place of the first non-finite column in the update", _non_finite, "")
NON_FINITE_BEFORE = derived("non_finite_iterations", "iterations", "iterations so far with a non-finite column of the update", _non_finite_before, "")
TRUST_REGION = derived("trust_region", "1", "max_kl / what KL can resolve", _trust_region_rounding, "max_kl")
POLICY_MOVED = derived("policy_moved", "1", "‖Δθ‖ / 1e4·ε·‖θ‖", _policy_moved, "step_parameter_delta_norm", "parameter_delta_norm policy_parameter_norm")
LOG_RATIO_STD = derived("log_ratio_std", "1", "std of the log ratio after the step", log_ratio_std, "log_ratio_std", "ratio_std")
SKIPPED_GRADIENT = derived("skipped_gradient", "flag", "1 where the update was skipped because the gradient is 0", _skipped_gradient, "update_outcome", "gradient_norm", shows="update_outcome")
REJECTED = derived("rejected", "flag", "1 where every candidate was rejected", _rejected, "line_search_success", "update_outcome", shows="line_search_success line_search_steps")
ACCEPTED_STEP = derived("accepted_step", "parameter", "‖s‖ where the search succeeded", _accepted_step, "full_step_norm line_search_success", "update_outcome")
RISE = derived("return_rise", "standard errors", f"best mean of {WINDOW} rows so far − the first", _rise, "", "episode_return_mean reward_mean")
LEARNING_ITERATIONS = derived("learning_iterations", "iterations", "iteration number once 200,000 steps are done", _learning_iterations, "timesteps")
RETURN_MARGIN = derived("return_margin", "reward", "episode_return_mean − the return the environment declares solved", _return_margin, "episode_return_mean", shows="episode_return_mean")
UNSOLVED = derived("unsolved", "flag", "0 where the latest return is the declared one or more", _unsolved, "", "episode_return_mean")
RETURN_MOVED = derived("return_moved", "flag", "1 once returns differed", _return_moved, "episode_return_mean")
CAP_GAP = derived("cap_gap", "fraction", "(best return so far − worst of this iteration) / |best|", _cap_gap, "episode_return_min episode_return_max", shows="episode_return_min episode_return_max")
ABSORBED = derived("advantage_share", "fraction", "std of the raw advantages / std of the returns", _absorbed, "advantage_raw_std return_std")
CONTRADICTED = derived("value_loss_contradicts", "flag", "1 where value_loss > 4·(std² + mean² of the raw advantages)", _contradicted, "advantage_raw_std advantage_raw_mean value_loss", shows="value_loss advantage_raw_std")
OWN_DEFINITIONS = derived("own_definitions", "flag", "1 where the trainer wrote these columns itself", _own_definitions, "")
EXPECTED_IMPROVEMENT = derived("expected_improvement", "1", "gᵀs, where gᵀx and xᵀAx are not below 0", _expected_improvement, "expected_improvement", "curvature gradient_dot_direction")
ALWAYS_REJECTED = derived("rejected_since_start", "iterations", "failed searches since the start, 0 once one succeeded", _always_rejected, "line_search_success", "update_outcome")
CURVATURE = column("curvature")
LOG_PROBS_ALIKE = derived("log_probs_alike", "flag", "1 unless the window's log-probabilities spread like samples", _log_probs_alike, "", "window_log_prob_old")
SIGMA = derived("relative_log_sigma", "1", "log(max σ / half the action range)", _half_range_sigma, "log_std_max", "log_std_mean")
# fmt: on

COMPANY = (REWARD_RANGE, ADVANTAGE_STD, GRADIENT_NORM, DIRECTION_NORM, STEP_NORM, KL)
"""One number a link: a printed 0 is believed when another of these prints 0 in the same row."""
