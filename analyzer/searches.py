"""What the candidates of a line search say: which were refused, how far the accepted one went."""

import numpy as np

from analyzer.identities import MOVED_AFTER, QUADRATIC_KL, positive
from analyzer.interval import Flags, Floats, Interval, constant, exact
from analyzer.measure import Rows, derived
from analyzer.measures import SUM_OF_ZEROS
from analyzer.view import View

SURE = 1e-3
"""Share of the limit within which two roundings of one KL may differ (float32 sums over a batch)."""
OTHER_KL = 1.5
"""Factor within which the KL that a search bounds may differ from the log's where its limit is not
told: the other direction, the other order of a mean."""
CLEAR_GAIN = 0.5
"""A gain of this share of the predicted one passes every acceptance test in use (the usual ones ask
for more than 0, or for a tenth of the prediction)."""


def _margin(view: View) -> Interval:
    """The KL up to which this trainer's search accepts; δ itself where the margin is not told."""
    margin = view.fact("line_search_kl_margin")
    return view["max_kl"] * (float(margin) if _is_told(view) else 1.0)


def _is_told(view: View) -> bool:
    """Whether the log says up to which KL, of those it logs, the search accepts."""
    margin = view.fact("line_search_kl_margin")
    return isinstance(margin, int | float) and margin > 0


def _accepted(view: View) -> Flags:
    """Where the search surely accepted a step."""
    outcome, success = view.run.column("update_outcome"), view["line_search_success"]
    told = outcome.present & (outcome.values.astype(object) == "accepted")
    return np.asarray(told | (~outcome.present & success.known & (success.low > 0.5)))


def _candidates(view: View) -> tuple[Rows, Floats, Floats, Floats] | None:
    """Row, β, gain and KL of every candidate, (total,) each; None where the lists do not match."""
    fractions, gains, kls = (
        view.lists(f"line_search_{name}") for name in ("fractions", "gains", "kls")
    )
    if not len(gains.values) or not (
        np.array_equal(fractions.offsets, gains.offsets)
        and np.array_equal(kls.offsets, gains.offsets)
    ):
        return None
    row = np.repeat(np.arange(len(view)), np.diff(gains.offsets))
    return row, fractions.values, gains.values, kls.values


def _wrongly_refused(view: View) -> Interval:
    """Refused candidates that gained clearly and kept the limit.

    0 where the search accepted such a one first; unknown where there was none.
    """
    found = _candidates(view)
    if found is None:
        return view.empty()
    row, fraction, gain, kl = found
    n = len(view)
    count = np.bincount(row, minlength=n)
    accepted = _accepted(view)
    last = np.cumsum(count)[row] - 1 == np.arange(len(row))
    taken = last & accepted[row]
    limit, expected = _margin(view), view["expected_improvement"]
    predicted = fraction * expected.low[row]
    surely = 1.0 - SURE if _is_told(view) else 1.0 / OTHER_KL
    good = (kl <= surely * limit.low[row]) & (kl >= 0.0)
    good &= (gain >= CLEAR_GAIN * predicted) & (gain > 1e4 * view.eps) & (predicted > 0.0)
    decided = limit.known & expected.known & view["line_search_success"].known
    judged = decided & (np.bincount(row, weights=good, minlength=n) > 0)
    return exact(np.bincount(row, weights=good & ~taken, minlength=n), judged)


def _refused_before(view: View) -> Interval:
    """Rows so far in which an acceptable candidate was refused."""
    refused = WRONGLY_REFUSED.of(view)
    total = np.cumsum(refused.present & (refused.middle > 0.0))
    return exact(total.astype(np.float64), np.ones(len(view), dtype=bool))


def _untold(view: View) -> bool:
    """Whether this log never says what became of a step: then each is taken as computed."""
    told = (
        view.run.column(name).present.any() for name in ("update_outcome", "line_search_success")
    )
    return not any(told)


def _overshoot(view: View) -> Interval:
    """KL of the accepted step over the limit of the search.

    Where something else moved the policy before kl was measured, KL of the accepted candidate.
    """
    moved = positive(MOVED_AFTER.of(view), 1.0)
    kl = view["kl"].where(~moved).or_else(_accepted_candidate(view).where(moved))
    return (kl / _margin(view)).where(_accepted(view) | _untold(view))


def _accepted_candidate(view: View) -> Interval:
    """KL of the last candidate."""
    kls = view.lists("line_search_kls")
    some = kls.present & (np.diff(kls.offsets) > 0)
    last = np.where(some, kls.offsets[1:] - 1, 0)
    return exact(kls.values[last] if some.any() else np.full(len(view), np.nan), some)


def _allowed(view: View) -> Interval:
    """1 and rounding where the log says up to which KL its search accepts, half as much again else;
    ten times as much where nothing tells of a search: a natural gradient keeps δ by its model only."""
    told = _is_told(view) and not view.imported
    return constant(10.0 if _untold(view) else 1.01 if told else OTHER_KL, len(view))


def _kl_without_limit(view: View) -> Interval:
    """KL of the accepted step where the log does not say what limits it."""
    return _taken_kl(view).where(~view["max_kl"].known)


def _taken_kl(view: View) -> Interval:
    """KL of the accepted step, summed over dimensions where the log says that it is their mean."""
    d = view.fact("action_dim")
    factor = float(d) if d and view.fact("kl_reduction") == "mean" else 1.0
    return (view["kl"] * factor).where(_accepted(view))


def _shortfall(view: View) -> Interval:
    """(β·gᵀs − gain) / KL at the smallest candidate of each row.

    The second order of the surrogate is at most max|Â| times twice the KL, so this stays of the
    size of the largest advantage however far the step goes, if g is the surrogate's gradient.
    """
    found = _candidates(view)
    if found is None:
        return view.empty()
    row, fraction, gain, kl = found
    n = len(view)
    count = np.bincount(row, minlength=n)
    some = count > 0
    last = np.maximum(np.cumsum(count) - 1, 0)
    predicted = fraction[last] * view["expected_improvement"].middle
    moved = (kl[last] > SUM_OF_ZEROS) & (predicted > 1e4 * view.eps)
    return exact((predicted - gain[last]) / np.where(moved, kl[last], np.nan), some & moved)


def failure(view: View, row: int) -> str:
    """Which condition the candidates of the row's failed search broke, in words; "" if untold."""
    found = _candidates(view)
    if found is None:
        return ""
    rows, _, gain, kl = found
    own = rows == row
    if not own.any():
        return ""
    gain, kl = gain[own], kl[own]
    limit = _margin(view).at(row)
    model = QUADRATIC_KL.of(view)
    if not (np.isfinite(gain) & np.isfinite(kl)).all():
        return "gains or KLs are not finite"
    if WRONGLY_REFUSED.of(view).present[row] and WRONGLY_REFUSED.of(view).low[row] > 0:
        return "candidates that gain within the limit are refused: the test itself is wrong"
    if np.abs(gain).max() <= 1e3 * view.eps:
        return "gains are rounding: nothing to gain upstream"
    if (kl > limit).all():
        return "KL stays above the limit as β → 0: the old policy is not the one that sampled"
    if (gain < 0.0).all():
        return "every candidate loses: gradient and surrogate disagree"
    if model.known[row] and model.low[row] > 2.0:
        return "KL of the full step is far above δ: the Fisher product is wrong or singular"
    return "what gains breaks the KL limit, what keeps it gains nothing"


# fmt: off
WRONGLY_REFUSED = derived("acceptable_but_refused", "candidates", f"refused candidates with KL within the limit and gain ≥ {CLEAR_GAIN}·β·expected_improvement", _wrongly_refused, "line_search_fractions line_search_gains line_search_kls expected_improvement max_kl line_search_success", "update_outcome")
REFUSED_BEFORE = derived("wrong_refusals", "iterations", "iterations so far with acceptable_but_refused", _refused_before, "", "line_search_fractions line_search_gains line_search_kls expected_improvement max_kl")
OVERSHOOT = derived("kl_over_limit", "1", "kl of the accepted step / (max_kl · line_search_kl_margin)", _overshoot, "kl max_kl line_search_success", "update_outcome line_search_kls parameter_delta_norm step_parameter_delta_norm policy_parameter_norm", shows="kl max_kl")
ALLOWED = derived("allowed", "1", "1.01 where line_search_kl_margin is told, 10 without a search, else 1.5", _allowed, "")
TAKEN_KL = derived("accepted_kl", "nat", "kl of the accepted step, summed over action dimensions", _taken_kl, "kl line_search_success", "update_outcome")
KL_WITHOUT_LIMIT = derived("accepted_kl_without_limit", "nat", "kl of the accepted step where max_kl is not logged", _kl_without_limit, "kl line_search_success", "update_outcome max_kl", shows="kl")
SHORTFALL = derived("gain_shortfall", "1", "(β·expected_improvement − gain) / KL at the smallest candidate", _shortfall, "line_search_fractions line_search_gains line_search_kls expected_improvement")
# fmt: on
