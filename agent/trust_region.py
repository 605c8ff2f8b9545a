"""Conjugate gradients, Fisher products, the step length, the line search: pure functions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent import gaussian
from agent.gaussian import Gaussian
from agent.linearised import Linearised

FRACTIONS = tuple(0.5**k for k in range(10))
"""Step fractions tried in turn: 1, ½, … 1/512."""

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """Solution of Ax = g by conjugate gradients, and what was seen on the way.

    `x`: (parameters,) float64. `residuals`: ‖r‖/‖g‖ after each iteration. `curvatures`: pᵀAp/pᵀp.
    `alphas`, `betas`: the recurrence's own coefficients, of which the Ritz values are made.
    """

    x: Tensor
    curvature: float
    """xᵀAx, from the recurrence's residual: xᵀ(g − r)."""
    residuals: tuple[float, ...]
    curvatures: tuple[float, ...]
    alphas: tuple[float, ...]
    betas: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Candidates of one line search in the order tried; `fraction` is None when none was accepted."""

    fractions: tuple[float, ...]
    gains: tuple[float, ...]
    kls: tuple[float, ...]
    fraction: float | None


def fisher_product(at: Linearised, damping: float) -> Product:
    """v ↦ (F + λI)v, F the Hessian of the mean KL(π_θ‖·) at θ.

    F = JᵀMJ, and of a Gaussian in (mean, log σ) M is diagonal: 1/σ² and 2 (Amari 1998).
    """
    precision = (-2 * at.pi.log_std).exp() / len(at.pi.mean)

    def product(v: Tensor) -> Tensor:
        mean, log_std = at.push(v)
        return at.pull_flat(mean * precision, log_std * (2 / len(mean))).add_(v, alpha=damping)

    return product


def conjugate_gradient(product: Product, g: Tensor, iterations: int, tolerance: float) -> Direction:
    """Solve Ax = g from x = 0 (Hestenes and Stiefel), until ‖r‖ ≤ tolerance·‖g‖.

    Stops at a direction of curvature ≤ 0 or not finite: A is then not positive definite.
    """
    return solve(product, g, iterations, stop=(tolerance * float(g.norm())) ** 2)


def solve(product: Product, g: Tensor, iterations: int, stop: float) -> Direction:
    """Conjugate gradients from 0 until ‖r‖² ≤ stop. `g`: (parameters,) float64."""
    x = torch.zeros_like(g)
    r, p = g.clone(), g.clone()
    rr = first = float(r.dot(r))
    residuals: list[float] = []
    curvatures: list[float] = []
    alphas: list[float] = []
    betas: list[float] = []
    basis = torch.empty(iterations, len(g), dtype=g.dtype, device=g.device)
    for k in range(iterations):
        if rr <= stop:
            break
        basis[k] = r / rr**0.5
        Ap = product(p)
        pAp = float(p.dot(Ap))
        curvatures.append(pAp / float(p.dot(p)))
        if not (pAp > 0 and np.isfinite(pAp)):
            residuals.append((rr / first) ** 0.5)
            break
        alpha = rr / pAp
        x = x + alpha * p
        r = r - alpha * Ap
        # Residuals are orthogonal in exact arithmetic. Products in float32 lose that within a dozen
        # iterations, and with it gᵀx = xᵀAx, xᵀr = 0 and true Ritz values.
        known = basis[: k + 1]
        r = r - known.T @ (known @ r)
        new = float(r.dot(r))
        beta = new / rr
        p = r + beta * p
        rr = new
        alphas.append(alpha)
        betas.append(beta)
        residuals.append((rr / first) ** 0.5)
    return Direction(
        x=x,
        curvature=float(x.dot(g - r)),
        residuals=tuple(residuals),
        curvatures=tuple(curvatures),
        alphas=tuple(alphas),
        betas=tuple(betas),
    )


def ritz_values(direction: Direction, damping: float) -> tuple[float, float] | None:
    """Smallest and largest Ritz value of F = A − λI, from the Lanczos matrix hidden in CG's
    coefficients (Golub and Van Loan, Matrix Computations)."""
    n = len(direction.alphas)
    if n == 0:
        return None
    alpha, beta = np.array(direction.alphas), np.array(direction.betas[: n - 1])
    diagonal = 1 / alpha
    diagonal[1:] += beta / alpha[:-1]
    lanczos = np.diag(diagonal)
    off = np.sqrt(beta) / alpha[:-1]
    lanczos[np.arange(n - 1), np.arange(1, n)] = off
    lanczos[np.arange(1, n), np.arange(n - 1)] = off
    if not np.isfinite(lanczos).all():
        return None
    values = np.linalg.eigvalsh(lanczos)
    return float(values[0]) - damping, float(values[-1]) - damping


def full_step(direction: Direction, max_kl: float) -> Tensor:
    """s = √(2δ/xᵀAx)·x, whose quadratic KL is δ; NaN where xᵀAx is not positive."""
    if not direction.curvature > 0:
        return torch.full_like(direction.x, float("nan"))
    return direction.x * float((2 * max_kl / direction.curvature) ** 0.5)


def candidate(theta: Tensor, step: Tensor, fraction: float) -> Tensor:
    """θ + β·s, in the type of θ."""
    return (theta.double() + fraction * step).to(theta.dtype)


def surrogate(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Mean of ratio × advantage, (N,) each → scalar (arXiv 1502.05477, eq. 14)."""
    return ((log_prob - old_log_prob).exp() * advantage).mean()


def mean_kl(old: Gaussian, new: Gaussian) -> Tensor:
    """KL(old‖new) averaged over states, summed over action dimensions."""
    return gaussian.kl(old, new).mean()


def line_search(measure: Callable[[float], tuple[float, float]], max_kl: float) -> Search:
    """First fraction whose KL is ≤ max_kl and whose gain is > 0. `measure`: fraction → gain, KL.

    What is not finite fails every comparison, and so the candidate.
    """
    gains: list[float] = []
    kls: list[float] = []
    for tried, fraction in enumerate(FRACTIONS, start=1):
        gain, kl = measure(fraction)
        gains.append(gain)
        kls.append(kl)
        if kl <= max_kl and gain > 0:
            return Search(
                fractions=FRACTIONS[:tried], gains=tuple(gains), kls=tuple(kls), fraction=fraction
            )
    return Search(fractions=FRACTIONS, gains=tuple(gains), kls=tuple(kls), fraction=None)
