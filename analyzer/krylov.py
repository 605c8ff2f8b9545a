"""The Fisher matrix as conjugate gradient saw it: least and largest eigenvalue, and their ratio.

Where a log has no Ritz values they follow from what it has: exactly from ‖r‖ and pᵀAp/pᵀp of every
iteration, which are the Lanczos matrix in other words (Golub and Van Loan, Matrix Computations,
chapter 10); else within bounds from x and g alone, since x lies in the Krylov space of g and the
angle between them says how far the eigenvalues are apart at least (Kantorovich's inequality).
"""

import numpy as np

from analyzer.identities import positive
from analyzer.interval import Floats, Interval
from analyzer.measure import derived
from analyzer.view import View

ANGLED = 0.1
"""Bound of the ratio from the angle alone, above which the Lanczos matrix is not taken apart: it
comes out 5 to 100 times above the ratio itself."""
_OCTAVES = 40
"""How far below the largest eigenvalue the least is looked for."""
_HALVINGS = 12


def _angle_bound(view: View) -> Interval:
    """[0, the largest ratio of least to largest eigenvalue of A that cos∠(g, x) allows]."""
    g, x, slope = (
        view[name] for name in ("gradient_norm", "step_direction_norm", "gradient_dot_direction")
    )
    cosine = (slope / (g * x)).where(positive(g) & positive(x) & positive(slope))
    sine = np.sqrt(np.clip(1.0 - cosine.high**2, 0.0, 1.0))
    bound = (1.0 - sine) / (1.0 + sine)
    return Interval(np.zeros(len(bound)), bound, cosine.present)


def _lanczos_bound(view: View) -> Interval:
    """The same ratio from the Lanczos matrix, where the angle leaves it open."""
    residuals, curvatures = view.lists("cg_residuals"), view.lists("cg_curvatures")
    angled = _angle_bound(view)
    open_ = angled.known & (angled.high < ANGLED) & residuals.present
    count = np.diff(residuals.offsets)
    rows = np.flatnonzero(open_ & (count > 1) & (count == np.diff(curvatures.offsets)))
    if view.fact("cg_start") == "random" or not len(rows):
        return view.empty()
    steps = np.arange(count[rows].max())
    there = steps < count[rows, None]
    norms, rayleigh = (
        np.where(there, each.values[np.where(there, each.offsets[rows, None] + steps, 0)], 1.0)
        for each in (residuals, curvatures)
    )
    squares = np.hstack((np.ones((len(rows), 1)), norms[:, :-1] ** 2))
    beta = squares[:, 1:] / squares[:, :-1]
    lengths = squares.copy()  # ‖p‖² = ‖r‖² + β²‖p before‖²: r is at right angles to that direction
    for k in steps[1:]:
        lengths[:, k] += beta[:, k - 1] ** 2 * lengths[:, k - 1]
    inverse_alpha = rayleigh * lengths / squares
    diagonal = inverse_alpha.copy()
    diagonal[:, 1:] += beta * inverse_alpha[:, :-1]
    off = np.where(there[:, 1:], np.sqrt(beta) * inverse_alpha[:, :-1], 0.0)
    reach = diagonal.copy()
    reach[:, 1:] += off
    reach[:, :-1] += off
    top, above = (np.where(there, each, 0.0).max(axis=1) for each in (diagonal, reach))
    least = _least(np.where(there, diagonal, np.inf), off, top)
    low, high = np.full((2, len(view)), np.nan)
    low[rows], high[rows] = least / above, least / top
    return Interval(low, high, np.isfinite(low) & np.isfinite(high))


def _least(diagonal: Floats, off: Floats, top: Floats) -> Floats:
    """(n,) least eigenvalue of n tridiagonal matrices (n, m), (n, m − 1): bisection by Sturm's count
    of the pivots below 0 (Golub and Van Loan, 8.4), in octaves below `top`."""
    near, far = np.zeros(len(top)), np.full(len(top), float(_OCTAVES))
    for _ in range(_HALVINGS):
        middle = 0.5 * (near + far)
        bound = top * 2.0**-middle
        pivot = diagonal[:, 0] - bound
        below = pivot < 0.0
        for k in range(1, diagonal.shape[1]):
            pivot = diagonal[:, k] - bound - off[:, k - 1] ** 2 / pivot
            below |= pivot < 0.0
        near, far = np.where(below, middle, near), np.where(below, far, middle)
    least: Floats = top * 2.0 ** -(0.5 * (near + far))
    return least


def _conditioning(view: View) -> Interval:
    damping, top = view["damping"], view["fisher_ritz_max"]
    logged = (view["fisher_ritz_min"] + damping) / (top + damping)
    if top.present.all():
        return logged
    return logged.or_else(_lanczos_bound(view)).or_else(_angle_bound(view))


def _relative_damping(view: View) -> Interval:
    """λ over the largest Ritz value of F, or at most over a Rayleigh quotient: gᵀAg/gᵀg ≥ gᵀg/gᵀx."""
    damping, top = view["damping"], view["fisher_ritz_max"]
    slope = view["gradient_dot_direction"]
    least_top = view["gradient_norm"].square() / slope - damping
    found = damping / least_top.where(positive(least_top) & positive(slope))
    at_most = Interval(np.zeros(len(view)), found.high, found.present)
    return (damping / top).where(positive(top)).or_else(at_most)


def _least_seen(view: View) -> Interval:
    """The least of the Rayleigh quotients of F there are, over one of the larger ones."""
    of_x = view["curvature"] / view["step_direction_norm"].square()
    least = view["fisher_ritz_min"].or_else(
        view["cg_min_curvature"].or_else(of_x) - view["damping"]
    )
    slope = view["gradient_dot_direction"]
    top = view["fisher_ritz_max"].or_else(view["gradient_norm"].square() / slope)
    return (least / top).where(positive(top))


# fmt: off
CONDITIONING = derived("fisher_conditioning", "1", "(min Ritz value + λ) / (max Ritz value + λ)", _conditioning, "fisher_ritz_min fisher_ritz_max damping", "gradient_norm step_direction_norm gradient_dot_direction cg_residuals cg_curvatures")
RELATIVE_DAMPING = derived("relative_damping", "1", "λ / largest Ritz value of F", _relative_damping, "damping fisher_ritz_max", "gradient_norm gradient_dot_direction")
LEAST_SEEN = derived("least_curvature_seen", "1", "least Ritz value or Rayleigh quotient of F / largest", _least_seen, "fisher_ritz_min fisher_ritz_max", "cg_min_curvature curvature damping step_direction_norm gradient_norm gradient_dot_direction")
# fmt: on
