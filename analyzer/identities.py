"""Identities a correct TRPO update obeys, as derived columns (docs/rules.md derives from these).

g gradient, x conjugate-gradient direction, s full step, A = F + λI, δ max_kl, λ damping,
β accepted step fraction, d action dimensions. Sources: the TRPO paper (arXiv 1502.05477, §6 and
appendix C) for the step, the GAE paper (1506.02438) for the advantages, and elementary facts of
the diagonal Gaussian.
"""

import numpy as np

from analyzer.interval import Flags, Interval, exact
from analyzer.measure import Measure, derived
from analyzer.view import View
from runlog.run import ListColumn

MANY_DIMENSIONS = 50
"""Action dimensions assumed where they are not told and KL may be their mean."""
LARGE_KL = 0.5
"""A step of this KL says nothing about the first order, nats."""
SETTLED = 5
"""Iterations in which a healthy observation normaliser may still move the policy much."""
HALF_LOG_2PI_E = 0.5 * float(np.log(2.0 * np.pi * np.e))
"""Entropy of a standard normal, nats."""


def positive(x: Interval, above: float | Interval = 0.0) -> Flags:
    """Where x is surely above the bound."""
    bound = above.high if isinstance(above, Interval) else above
    return x.known & (x.low > bound)


def accepted(view: View) -> Flags:
    """Where the search took a step."""
    return positive(view["step_fraction"])


def _rounding_of_step(view: View) -> Interval:
    """Smallest move that parameters of this size and type can show reliably."""
    return view["policy_parameter_norm"].or_else(1.0) * (1e4 * view.eps)


def _started_at_zero(view: View) -> bool:
    """Only then is x a combination of search directions, and the residual at right angles to it."""
    return bool(view.fact("cg_start") != "random")


def _step_scale(view: View) -> Interval:
    x, s = view["step_direction_norm"], view["full_step_norm"]
    ratio = view["expected_improvement"] * s / x / (view["max_kl"] * 2.0)
    return ratio.where(positive(x) & _started_at_zero(view))


def _step_cosine(view: View) -> Interval:
    g, s = view["gradient_norm"], view["full_step_norm"]
    return (view["expected_improvement"] / (g * s)).where(positive(g) & positive(s))


def _damped_direction(view: View) -> Interval:
    g = view["gradient_norm"]
    ratio = view["step_direction_norm"] * view["damping"] / g
    return ratio.where(positive(g) & _started_at_zero(view))


def _direction_curvature(view: View) -> Interval:
    curvature = view["curvature"]
    ratio = view["gradient_dot_direction"] / curvature
    return ratio.where(positive(curvature.abs()) & _started_at_zero(view))


def _quadratic_kl(view: View) -> Interval:
    delta = view["max_kl"]
    expected = delta - view["full_step_norm"].square() * view["damping"] * 0.5
    return (view["kl_full_step"] / expected).where(positive(expected, delta * 0.05))


def log_ratio_std(view: View) -> Interval:
    """Spread of the log ratio after the step; of the ratio where only that is logged."""
    return view["log_ratio_std"].or_else(view["ratio_std"])


def joint_kl(view: View) -> Interval:
    """KL summed over action dimensions, or the most it can be where the reduction is not told."""
    d = view.fact("action_dim")
    factor = 1.0 if view.fact("kl_reduction") == "sum" else float(d or MANY_DIMENSIONS)
    return view["kl"] * factor


def _kl_to_variance(view: View) -> Interval:
    half = log_ratio_std(view).square() * 0.5
    # Of a step far beyond any trust region the variance is no second-order term any more.
    small = half.high < LARGE_KL
    return (joint_kl(view) / half).where(positive(half, 0.5e-6) & small)


def _printed_kl_to_variance(view: View) -> Interval:
    half = log_ratio_std(view).square() * 0.5
    return (view["kl"] / half).where(positive(half, 0.5e-6))


def _improvement(view: View) -> Interval:
    expected = view["expected_improvement"] * view["step_fraction"]
    derived = view["actual_improvement"] / expected
    return view["improvement_ratio"].or_else(derived).where(accepted(view) & positive(expected))


def _stale_ratio(view: View) -> Interval:
    delta = view["max_kl"]
    bound = ((delta * 2.0).sqrt() * 0.02).larger(1e4 * view.eps)
    return view["ratio_before_std"] / bound.where(delta.present)


def _surrogate_slope(view: View) -> Interval:
    expected = view["expected_improvement"] * view["step_fraction"]
    # Below that the second order of the step, up to ≈ 2δ, is no smaller than the first.
    second_order = (view["max_kl"] * view["step_fraction"] * 4.0).or_else(1e3 * view.eps)
    gate = accepted(view) & positive(expected, second_order) & (expected.low > 1e3 * view.eps)
    return (view["advantage_log_ratio_mean"] / expected).where(gate)


def _slope_error(view: View) -> Interval:
    allowed = (view["max_kl"] * 2.0).sqrt() * 1.5
    return (SURROGATE_SLOPE.of(view) - 1.0).abs() / allowed


def _log_prob_spread(view: View) -> Interval:
    """Spread of the window's log-probabilities over the √(d/2) of a Gaussian's own samples."""
    logged, d = view.lists("window_log_prob_old"), view.fact("action_dim")
    some = logged.present & (np.diff(logged.offsets) >= 8)
    if not d or not some.any():
        return view.empty()
    spread = np.full(len(view), np.nan)
    for i in np.flatnonzero(some):
        spread[i] = np.std(logged[int(i)])
    return exact(spread / np.sqrt(0.5 * float(d)), some)


def _step_applied(view: View) -> Interval:
    step = view["full_step_norm"] * view["step_fraction"]
    moved = view["step_parameter_delta_norm"].or_else(view["parameter_delta_norm"])
    return (moved / step).where(accepted(view) & positive(step, _rounding_of_step(view)))


def _gaussian_entropy(view: View) -> Interval:
    d = view.fact("action_dim")
    whole = view["entropy"] / float(d) if d else view.empty()
    per_dimension = view["entropy_per_dimension"].or_else(whole)
    return (per_dimension - view["log_std_mean"] - HALF_LOG_2PI_E).abs()


def _noise_deficit(view: View) -> Interval:
    d = view.fact("action_dim")
    if not d:
        return view.empty()
    # −log π(a) has mean `entropy`; at a = mean(s) it is d/2 less.
    return (view["action_log_prob_mean"] + view["entropy"]) / (0.5 * float(d))


def _noise_z(view: View) -> Interval:
    d = view.fact("action_dim")
    if not d:
        return view.empty()
    n = view["batch_size"].or_else(float(view.fact("steps_per_iteration") or np.nan))
    spread = (n * 2.0 / float(d)).sqrt()
    return (view["action_log_prob_mean"] + view["entropy"]).abs() * spread


def _critic_fit_order(view: View) -> Interval:
    if view.fact("value_target") != "lambda-return":
        return view.empty()
    loss = view["value_loss"]
    squared = view["advantage_raw_std"].square() + view["advantage_raw_mean"].square()
    scale = view["value_max"].abs().or_else(view["return_max"].abs()).square()
    # Below this both are the rounding of V itself.
    floor = scale * (1024.0 * view.eps) ** 2
    return (squared / loss).where(positive(loss, floor.or_else(0.0)))


def row_of(column: ListColumn) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The row of every entry."""
    return np.repeat(np.arange(len(column)), np.diff(column.offsets))


def _candidate_slope(view: View) -> Interval:
    """Median over a row's candidates of gain / (β · expected improvement)."""
    gains, fractions = view.lists("line_search_gains"), view.lists("line_search_fractions")
    n = len(view)
    if len(gains.values) != len(fractions.values) or not len(gains.values):
        return view.empty()
    row = row_of(gains)
    expected = view["expected_improvement"]
    gate = positive(expected, 1e3 * view.eps) & gains.present
    slope = gains.values / (fractions.values * expected.low[row])
    usable = np.isfinite(slope) & gate[row]
    row, slope = row[usable], slope[usable]
    order = np.lexsort((slope, row))
    row, slope = row[order], slope[order]
    count = np.bincount(row, minlength=n)
    first = np.concatenate(([0], np.cumsum(count)[:-1]))
    some = count > 0
    median = np.full(n, np.nan)
    lower = slope[first[some] + (count[some] - 1) // 2]
    upper = slope[first[some] + count[some] // 2]
    median[some] = 0.5 * (lower + upper)
    return exact(median, some)


def _moved_after(view: View) -> Interval:
    """How far the policy moved besides the step, at least, in units far above rounding: two norms
    of one vector agree to the last bit, and stored parameters are off by ½ε each."""
    end, step = view["parameter_delta_norm"], view["step_parameter_delta_norm"]
    size = view["policy_parameter_norm"].or_else(1.0)
    return (end - step).abs() / (size * (1e2 * view.eps))


def _drift(view: View) -> Interval:
    """KL drift over δ, from the iteration on in which a healthy normaliser has settled."""
    delta = view["max_kl"]
    settled = view.iterations.middle > SETTLED
    return (view["kl_drift"] / delta).where(positive(delta) & settled)


def _kl_intercept(view: View) -> Interval:
    """KL at β → 0, from the two smallest candidates on a parabola in β, in units of δ."""
    kls, fractions = view.lists("line_search_kls"), view.lists("line_search_fractions")
    if len(kls.values) != len(fractions.values) or not len(kls.values):
        return view.empty()
    count = np.diff(kls.offsets)
    some = kls.present & (count >= 3)
    last = np.where(some, kls.offsets[1:] - 1, 0)
    before = np.where(some, last - 1, 0)
    b1, b2 = fractions.values[last] ** 2, fractions.values[before] ** 2
    k1, k2 = kls.values[last], kls.values[before]
    intercept = k1 - b1 * (k2 - k1) / (b2 - b1)
    share = np.where(intercept > 0.5 * k1, intercept, 0.0)
    return exact(np.where(np.isfinite(share), share, np.nan), some) / view["max_kl"]


def _candidate_motion(view: View) -> Interval:
    """Largest |gain| or KL over a row's candidates, where the step itself is no rounding."""
    gains, kls = view.lists("line_search_gains"), view.lists("line_search_kls")
    if len(gains.values) != len(kls.values) or not len(kls.values):
        return view.empty()
    largest = np.zeros(len(view))
    np.maximum.at(largest, row_of(gains), np.maximum(np.abs(gains.values), np.abs(kls.values)))
    gate = gains.present & (np.diff(gains.offsets) > 0)
    real = positive(view["full_step_norm"], _rounding_of_step(view))
    return exact(largest, gate & real)


def _least_curvature(view: View) -> Interval:
    """(min pᵀAp/pᵀp − λ) relative to the largest curvature: below 0 where F is not positive."""
    top = view["fisher_ritz_max"].abs().or_else(view["cg_min_curvature"].abs())
    scale = top + view["damping"]
    return (view["cg_min_curvature"] - view["damping"]) / scale


def deviation(measure: Measure, name: str, text: str) -> Measure:
    """How far a ratio that should be 1 is from it."""
    return Measure(
        name=name,
        columns=measure.columns,
        optional=measure.optional,
        unit="1",
        formula=text,
        compute=lambda view: (measure.of(view) - 1.0).abs(),
    )


# fmt: off
STEP_SCALE = derived("step_scale", "1", "expected_improvement·‖s‖/‖x‖ / 2δ", _step_scale, "expected_improvement full_step_norm step_direction_norm max_kl")
STEP_COSINE = derived("step_cosine", "1", "gᵀs / ‖g‖‖s‖", _step_cosine, "expected_improvement gradient_norm full_step_norm")
DAMPED_DIRECTION = derived("damped_direction", "1", "λ‖x‖ / ‖g‖", _damped_direction, "step_direction_norm gradient_norm damping")
DIRECTION_CURVATURE = derived("direction_curvature", "1", "gᵀx / xᵀAx", _direction_curvature, "gradient_dot_direction curvature")
QUADRATIC_KL = derived("kl_over_quadratic_model", "1", "KL(β=1) / (δ − ½λ‖s‖²)", _quadratic_kl, "kl_full_step max_kl damping full_step_norm")
KL_TO_VARIANCE = derived("joint_kl_over_half_variance", "1", "KL summed over dimensions / ½Var(log ratio)", _kl_to_variance, "kl log_ratio_std", "ratio_std")
PRINTED_KL_TO_VARIANCE = derived("kl_over_half_variance", "1", "KL as printed / ½Var(log ratio)", _printed_kl_to_variance, "kl log_ratio_std", "ratio_std")
IMPROVEMENT = derived("improvement_ratio", "1", "actual / (β·expected) improvement", _improvement, "improvement_ratio")
STALE_RATIO = derived("stale_ratio", "1", "std(ratio before the step) / max(.02·√(2δ), 1e4·ε)", _stale_ratio, "ratio_before_std max_kl")
SURROGATE_SLOPE = derived("surrogate_slope", "1", "mean(Â·log ratio) / (β·expected_improvement)", _surrogate_slope, "advantage_log_ratio_mean expected_improvement step_fraction")
STEP_APPLIED = derived("step_applied", "1", "‖θ_after − θ_before‖ / β‖s‖", _step_applied, "step_parameter_delta_norm full_step_norm step_fraction", "parameter_delta_norm policy_parameter_norm")
GAUSSIAN_ENTROPY = derived("entropy_error", "nat", "|entropy/d − mean log σ − 1.4189|", _gaussian_entropy, "entropy_per_dimension log_std_mean", "entropy")
NOISE_DEFICIT = derived("noise_deficit", "1", "(entropy + mean log π(a|s)) / (d/2)", _noise_deficit, "action_log_prob_mean entropy")
LOG_PROB_SPREAD = derived("log_prob_spread", "1", "std(log π of the window's actions) / √(d/2)", _log_prob_spread, "", "window_log_prob_old")
NOISE_Z = derived("noise_z", "σ", "|entropy + mean log π(a|s)| / √(d/2N)", _noise_z, "action_log_prob_mean entropy", "batch_size")
CRITIC_FIT_ORDER = derived("advantage_over_value_loss", "1", "(std² + mean² of the raw advantage) / value_loss", _critic_fit_order, "advantage_raw_std advantage_raw_mean value_loss", "value_max return_max")
CANDIDATE_SLOPE = derived("candidate_slope", "1", "median over candidates of gain / (β·expected_improvement)", _candidate_slope, "line_search_gains line_search_fractions expected_improvement")
KL_INTERCEPT = derived("kl_intercept", "δ", "KL of the candidates at β → 0, over δ", _kl_intercept, "line_search_kls line_search_fractions max_kl")
MOVED_AFTER = derived("moved_besides_the_step", "1", "|‖Δθ‖ at the end − ‖Δθ‖ of the step| / 100·ε·‖θ‖", _moved_after, "parameter_delta_norm step_parameter_delta_norm", "policy_parameter_norm", shows="parameter_delta_norm step_parameter_delta_norm")
DRIFT = derived("drift_over_trust_region", "δ", f"kl_drift / max_kl, after iteration {SETTLED}", _drift, "kl_drift max_kl", shows="kl_drift")
CANDIDATE_MOTION = derived("candidate_motion", "1", "max |gain|, KL over the candidates", _candidate_motion, "line_search_gains line_search_kls full_step_norm", "policy_parameter_norm")
LEAST_CURVATURE = derived("least_curvature", "1", "(min pᵀAp/pᵀp − λ) / (max Ritz value + λ)", _least_curvature, "cg_min_curvature damping", "fisher_ritz_max")

STEP_SCALE_ERROR = deviation(STEP_SCALE, "step_scale_error", "|expected_improvement·‖s‖/‖x‖ / 2δ − 1|")
DIRECTION_CURVATURE_ERROR = deviation(DIRECTION_CURVATURE, "direction_curvature_error", "|gᵀx / xᵀAx − 1|")
SURROGATE_SLOPE_ERROR = derived("surrogate_slope_error", "1.5√(2δ)", "|mean(Â·log ratio) / (β·expected_improvement) − 1| / 1.5√(2δ)", _slope_error, "advantage_log_ratio_mean expected_improvement step_fraction max_kl")
CRITIC_FIT_ERROR = deviation(CRITIC_FIT_ORDER, "value_loss_error", "|(std² + mean² of the raw advantage) / value_loss − 1|")
# fmt: on
