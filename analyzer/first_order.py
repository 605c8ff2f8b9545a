"""The first order of a step, from the candidates of its line search: gain = β·gᵀs as β → 0.

g gradient, s full step, β step fraction. It holds for any step along s, whatever made s, when the
surrogate uses the advantages that g was taken with (Taylor expansion of the surrogate).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.identities import LARGE_KL, SURROGATE_SLOPE, accepted, deviation, positive, row_of
from analyzer.interval import Flags, Floats, Interval, exact
from analyzer.measure import derived
from analyzer.view import View
from runlog.run import ListColumn

IMPOSSIBLE = 4.0
"""Times the bound of gᵀ(F + λI)⁻¹g, since F is the policy's and not that of the sampled scores: up
to 3.1 in healthy runs, 1e7 with a tensor's gradient too large."""

CLEARLY = 0.8
"""Share of the promised gain that must be missing before the second order cannot be what took it."""
NOISE = 4.0
"""Standard errors of mean(Â·log ratio)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smallest:
    """The three smallest candidates of each row, the smallest first. Where a row has fewer its
    largest is repeated; rows without candidates have `count` 0 and numbers of another row."""

    count: NDArray[np.int64]
    """(n,)"""
    fraction: Floats
    """(3, n)"""
    gain: Floats
    """(3, n)"""

    @property
    def limit(self) -> Floats:
        """(n,) slope of the gain at β → 0, on a parabola through 0 and the two smallest."""
        (b1, b2, _), (s1, s2, _) = self.fraction, self.gain / self.fraction
        bend = (s1 - s2) * b1 / np.where(b2 > b1, b2 - b1, 1.0)
        return np.asarray(s1 + np.where(b2 > b1, bend, 0.0))

    @property
    def intercept(self) -> Floats:
        """(n,) |gain| at β = 0, the smaller of a line through the two smallest and a parabola
        through all three: a long step bends either. Not finite where there are fewer."""
        b, g = self.fraction, self.gain
        line = g[0] - b[0] * (g[1] - g[0]) / (b[1] - b[0])
        parabola = np.zeros(len(self.count))
        for k in range(3):
            p, q = b[k - 1], b[k - 2]
            parabola = parabola + g[k] * p * q / ((b[k] - p) * (b[k] - q))
        return np.asarray(np.minimum(np.abs(line), np.abs(parabola)))


def _smallest(view: View) -> Smallest | None:
    gains, fractions = view.lists("line_search_gains"), view.lists("line_search_fractions")
    count = np.diff(gains.offsets)
    there = gains.present & fractions.present & (count == np.diff(fractions.offsets)) & (count > 0)
    if not there.any():
        return None
    back = np.minimum(np.arange(3)[:, None], np.maximum(count - 1, 0))  # (3, n)

    def three(column: ListColumn) -> Floats:
        last = np.where(there, column.offsets[1:] - 1, 0)
        return np.asarray(column.values[np.where(there, last - back, 0)], dtype=np.float64)

    return Smallest(count=np.where(there, count, 0), fraction=three(fractions), gain=three(gains))


def _natural(view: View) -> Floats:
    """(n,) gᵀ(F + λI)⁻¹g over mean Â², 0 where it is not told; at most 1 by Cauchy–Schwarz where g
    is the mean of score × advantage and F that of the sampled scores."""
    natural, std = view["gradient_dot_direction"], view["advantage_std"]
    square = np.where(std.known, np.maximum(std.high**2, 1.0), 1.0)
    return np.where(natural.known, natural.low / square, 0.0)


def _gradient_whole(view: View) -> Flags:
    """False where a tensor got no gradient, which is a fault of its own."""
    norms = view.lists("gradient_norms")
    dead = np.zeros(len(view), dtype=bool)
    if len(norms.values):
        np.logical_or.at(dead, row_of(norms), np.nan_to_num(norms.values) == 0.0)
    return ~dead


def _first_order(view: View) -> Interval:
    """Gain per β·gᵀs as β → 0, which is 1 whatever the step. From a row's two smallest candidates
    where it has three; else, where the only one was accepted, the larger of what its gain and its
    log ratio say, since one of the two may be off by the second order of the step."""
    tried = _smallest(view)
    if tried is None:
        return view.empty()
    expected, slope = view["expected_improvement"], SURROGATE_SLOPE.of(view)
    limit = tried.limit / expected.low
    fraction, gain = tried.fraction[0], tried.gain[0]
    bent = np.abs(limit - gain / (fraction * expected.low))
    several = (tried.count >= 3) & (bent < 0.5)
    # Above the bound no full step can gain what it promises; far above, g is no gradient.
    natural = _natural(view)
    several &= natural <= IMPOSSIBLE
    one = (tried.count == 1) & slope.known & accepted(view) & (natural <= 1.0)
    # Candidates that do not move at all are TRPO004's.
    gate = positive(expected) & (gain != 0.0) & _gradient_whole(view)
    gate &= fraction * expected.low > 32.0 * view.eps
    kl, delta = view["kl"], view["max_kl"]  # a longer step is no small one
    gate &= ~(kl.known & delta.known & (kl.low > 1.5 * delta.high)) & ~(kl.low > LARGE_KL)
    value = np.where(several, limit, np.maximum(limit, slope.low))
    return exact(value, (several | one) & gate & np.isfinite(value))


def _second_order(view: View) -> Interval:
    """The gain less mean(Â·log ratio) is ½ mean(Â·log² ratio) and more: the order the first one hides."""
    gain, first = view["actual_improvement"], view["advantage_log_ratio_mean"]
    promised = view["expected_improvement"] * view["step_fraction"]
    return (gain - first).abs() / promised.where(accepted(view) & positive(promised))


def _pairing(view: View) -> Interval:
    """mean(Â·log ratio) over the β·gᵀs that the search's gain keeps to.

    With the surrogate's own advantages the two differ by ½ mean(Â·log² ratio), about Var(log ratio)
    by Cauchy–Schwarz; with advantages of other steps the mean is 0 ± σ(log ratio)/√N.
    """
    promised = view["expected_improvement"] * view["step_fraction"]
    spread, kept = view["log_ratio_std"], view["actual_improvement"] / promised
    beyond = positive(promised * CLEARLY, spread.square())
    beyond &= positive(promised * view["batch_size"].sqrt(), spread * NOISE)
    gate = accepted(view) & positive(promised) & beyond & (kept.low > 0.5) & (kept.high < 1.5)
    return (view["advantage_log_ratio_mean"] / promised).where(gate)


def _surrogate_match(view: View) -> Interval:
    gain = view["actual_improvement"]
    told = view["policy_loss_before"] - view["policy_loss"]
    return (told / gain).where(accepted(view) & positive(gain, 1e3 * view.eps))


def _gain_intercept(view: View) -> Interval:
    """|Gain| at β → 0 over gᵀs, 0 where the smallest candidate's gain is mostly the step's."""
    tried = _smallest(view)
    if tried is None:
        return view.empty()
    size, expected = tried.intercept, view["expected_improvement"]
    share = np.where(size > 0.5 * np.abs(tried.gain[0]), size, 0.0)
    usable = (tried.count >= 3) & np.isfinite(size) & positive(expected, 1e3 * view.eps)
    # Nothing of the origin shows in candidates that far out.
    usable &= ~positive(view["kl_full_step"] * exact(tried.fraction[2] ** 2, usable), LARGE_KL)
    return exact(share, usable) / expected


# fmt: off
FIRST_ORDER = derived("first_order_gain", "1", "gain / (β·expected_improvement) as β → 0", _first_order, "line_search_gains line_search_fractions expected_improvement", "advantage_log_ratio_mean step_fraction gradient_norms gradient_dot_direction advantage_std kl max_kl")
FROM_FLIPPED = derived("distance_from_flipped", "1", "|gain / (β·expected_improvement) as β → 0, + 1|", lambda v: (FIRST_ORDER.of(v) + 1.0).abs(), "line_search_gains line_search_fractions expected_improvement", "advantage_log_ratio_mean step_fraction gradient_norms gradient_dot_direction advantage_std kl max_kl")
PAIRING = derived("pairing", "1", "mean(Â·log ratio) / (β·expected_improvement), where the gain keeps to the latter", _pairing, "advantage_log_ratio_mean actual_improvement expected_improvement step_fraction log_ratio_std batch_size")
SECOND_ORDER = derived("second_order", "1", "|actual_improvement − mean(Â·log ratio)| / (β·expected_improvement)", _second_order, "actual_improvement advantage_log_ratio_mean expected_improvement step_fraction")
SURROGATE_MATCH = derived("surrogate_match", "1", "(policy_loss_before − policy_loss) / actual_improvement", _surrogate_match, "policy_loss_before policy_loss actual_improvement step_fraction")
SURROGATE_MATCH_ERROR = deviation(SURROGATE_MATCH, "surrogate_match_error", "|(policy_loss_before − policy_loss) / actual_improvement − 1|")
GAIN_INTERCEPT = derived("gain_intercept", "1", "|gain of the candidates at β → 0| / expected_improvement", _gain_intercept, "line_search_gains line_search_fractions expected_improvement", "kl_full_step")
# fmt: on
