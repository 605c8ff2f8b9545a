"""The ratio of the Fisher matrix's eigenvalues where a log has no Ritz values."""

from typing import Any

import numpy as np
import pytest

from analyzer import krylov
from analyzer.view import View
from runlog.run import run_of


def solved(a: Any, g: Any, iterations: int) -> dict[str, Any]:
    """One row: what conjugate gradient from 0 tells of A = F without damping."""
    x, r, p = np.zeros_like(g), g.copy(), g.copy()
    residuals, curvatures = [], []
    for _ in range(iterations):
        image = a @ p
        curvatures.append(p @ image / (p @ p))
        alpha = r @ r / (p @ image)
        before = r @ r
        x, r = x + alpha * p, r - alpha * image
        residuals.append(float(np.linalg.norm(r) / np.linalg.norm(g)))
        p = r + r @ r / before * p
    return {
        "gradient_norm": float(np.linalg.norm(g)),
        "step_direction_norm": float(np.linalg.norm(x)),
        "gradient_dot_direction": float(g @ x),
        "curvature": float(x @ a @ x),
        "damping": 0.0,
        "cg_residuals": residuals,
        "cg_curvatures": [float(c) for c in curvatures],
        "cg_min_curvature": float(min(curvatures)),
    }


def ritz_ratio(a: Any, g: Any, iterations: int) -> float:
    """Least over largest eigenvalue of A on its Krylov space, by a basis of it."""
    basis = [g / np.linalg.norm(g)]
    for _ in range(iterations - 1):
        v = a @ basis[-1]
        for _ in range(2):
            v = v - np.array(basis).T @ (np.array(basis) @ v)
        basis.append(v / np.linalg.norm(v))
    q = np.array(basis)
    values = np.linalg.eigvalsh(q @ a @ q.T)
    return float(values[0] / values[-1])


@pytest.mark.parametrize("iterations", [2, 5, 12])
@pytest.mark.parametrize("octaves", [3.0, 12.0])
def test_the_lanczos_matrix_of_a_log_holds_the_ratio_of_the_ritz_values(
    iterations: int, octaves: float
) -> None:
    rng = np.random.default_rng(iterations)
    q = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    a = q @ np.diag(2.0 ** -np.linspace(0.0, octaves, 40)) @ q.T
    g = rng.normal(size=40)
    rows = [solved(a, g, iterations), solved(a, g, iterations - 1), {"damping": 0.0}]
    run = run_of([{"iteration": i, **row} for i, row in enumerate(rows, 1)], metadata={})
    ratio, angle = krylov.CONDITIONING.of(View(run)), krylov._angle_bound(View(run))
    assert ratio.present.tolist() == [True, True, False]
    for row, n in enumerate((iterations, iterations - 1)):
        true = ritz_ratio(a, g, n)
        assert true <= angle.high[row] * 1.0001
        assert ratio.low[row] <= true * 1.01
        assert true <= ratio.high[row] * 1.01
        if angle.high[row] < krylov.ANGLED:
            assert ratio.high[row] < 5.0 * true


def test_a_random_start_leaves_the_angle_alone() -> None:
    rng = np.random.default_rng(0)
    a = np.diag(2.0 ** -np.linspace(0.0, 12.0, 40))
    row = {"iteration": 1, **solved(a, rng.normal(size=40), 12)}
    ratio = krylov.CONDITIONING.of(View(run_of([row], metadata={"cg_start": "random"})))
    assert ratio.low[0] == 0.0 < ratio.high[0]


def test_ritz_values_of_the_log_come_first() -> None:
    rng = np.random.default_rng(0)
    a = np.diag(2.0 ** -np.linspace(0.0, 12.0, 40))
    row = {"iteration": 1, **solved(a, rng.normal(size=40), 12)}
    run = run_of([row | {"fisher_ritz_min": 0.25, "fisher_ritz_max": 2.0}], metadata={})
    assert krylov.CONDITIONING.of(View(run)).at(0) == 0.125
