"""What is known of the policy gradient: its largest possible size, its band, its dead tensors."""

import numpy as np

from analyzer.identities import MANY_DIMENSIONS
from analyzer.interval import Interval, exact
from analyzer.measure import derived, last_known
from analyzer.view import View

EARLY = 5
"""Rows whose median is the early size of the gradient."""


def _dimensions(view: View) -> float:
    d = view.fact("action_dim")
    return float(d) if d else float(MANY_DIMENSIONS)


def _reach(view: View) -> Interval:
    """√(gᵀA⁻¹g) over the most that advantages of this size allow.

    (vᵀg)² = mean(Â·vᵀ∇log π)² ≤ mean(Â²)·vᵀF̂v, so gᵀA⁻¹g ≤ mean(Â²) times the number of parameters
    a state's distribution has, 2d of a Gaussian's, when each state were fitted for itself. A Fisher
    product of a KL that is averaged over dimensions is d times smaller.
    """
    used = (view["advantage_std"].square() + view["advantage_mean"].or_else(0.0).square()).sqrt()
    d = _dimensions(view)
    spread = 2.0 * d * (1.0 if view.fact("kl_reduction") == "sum" else d)
    slope = view["gradient_dot_direction"]
    real = slope.known & (slope.low > 0.0) & used.known & (used.low > 0.0)
    return (slope.sqrt() / used / float(np.sqrt(spread))).where(real)


def _size(view: View) -> Interval:
    """‖g‖·σ/std(Â): the gradient without what a smaller σ or larger advantages make of it."""
    used = view["advantage_std"].or_else(1.0)
    size = view["gradient_norm"] * view["log_std_mean"].or_else(0.0).exp() / used
    return size.where(size.known & (size.low > 0.0) & np.isfinite(size.high))


def _over_early(view: View) -> Interval:
    """‖g‖·σ/std(Â) over its median in the first rows."""
    size = GRADIENT_SIZE.of(view)
    rows = np.flatnonzero(size.known)
    if len(rows) <= EARLY:
        return view.empty()
    early = float(np.sort(size.middle[rows[:EARLY]])[EARLY // 2])
    later = np.arange(len(view)) > rows[EARLY - 1]
    return (size / early).where(later)


def _dead_tensors(view: View) -> Interval:
    """Parameter tensors without a gradient (null or 0) while another one has one."""
    norms = view.lists("gradient_norms")
    n, count = len(view), np.diff(norms.offsets)
    if not len(norms.values):
        return view.empty()
    alive = norms.entry_present & (norms.values != 0.0)
    row = np.repeat(np.arange(n), count)
    living = np.bincount(row, weights=alive, minlength=n)
    return exact(count - living, norms.present & (living > 0))


def dead_names(view: View, row: int) -> str:
    """The tensors without a gradient in the latest row that has some, by name where they have one."""
    dead = DEAD_TENSORS.of(view)
    found = dead.present & (dead.middle > 0.0)
    at = int(last_known(found[: row + 1])[-1])
    if at < 0:
        return ""
    norms, told = view.lists("gradient_norms"), view.fact("parameter_names")
    own = slice(int(norms.offsets[at]), int(norms.offsets[at + 1]))
    gone = np.flatnonzero(~(norms.entry_present[own] & (norms.values[own] != 0.0)))
    named = isinstance(told, list | tuple) and len(told) == own.stop - own.start
    return ", ".join(str(told[k]) if named else f"number {k + 1}" for k in gone)


# fmt: off
GRADIENT_REACH = derived("gradient_reach", "1", "√(gᵀx) / (rms(Â)·√(2d))", _reach, "gradient_dot_direction advantage_std", "advantage_mean", shows="gradient_norm")
GRADIENT_SIZE = derived("gradient_size", "1/parameter", "‖g‖·σ / std(Â)", _size, "gradient_norm", "log_std_mean advantage_std")
OVER_EARLY = derived("gradient_over_early", "1", f"‖g‖·σ/std(Â) / its median in the first {EARLY} rows", _over_early, "gradient_norm", "log_std_mean advantage_std", shows="gradient_norm log_std_mean")
DEAD_TENSORS = derived("dead_tensors", "tensors", "parameter tensors with gradient null or 0 while others have one", _dead_tensors, "gradient_norms")
# fmt: on
