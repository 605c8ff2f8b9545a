"""What a fault can make of the step's direction: Fisher products and the conjugate gradient."""

from dataclasses import replace

import torch
from torch import Tensor

from agent import trust_region
from agent.faulty_draws import PARTIAL, generator_of
from agent.linearised import Linearised
from agent.training import Training
from agent.trust_region import Direction, Product


def absolute_cg_tolerance(training: Training, severity: float) -> None:
    def absolute(product: Product, g: Tensor, iterations: int, _tolerance: float) -> Direction:
        return trust_region.solve(product, g, iterations, stop=severity)

    training.parts = replace(training.parts, conjugate_gradient=absolute)
    training.conventions |= {"cg_tolerance": severity, "cg_tolerance_kind": "absolute"}


def unconverged_cg(training: Training, _severity: float) -> None:
    def unconjugated(product: Product, g: Tensor, iterations: int, tolerance: float) -> Direction:
        """The search direction is never made conjugate to the last: p = r − βp instead of r + βp."""
        x, r, p = torch.zeros_like(g), g.clone(), g.clone()
        rr = first = float(r.dot(r))
        residuals, curvatures = [], []
        for _ in range(iterations):
            if rr <= tolerance**2 * first:
                break
            moved = product(p)
            curvatures.append(float(p.dot(moved)) / float(p.dot(p)))
            alpha = rr / float(p.dot(moved))
            x, r = x + alpha * p, r - alpha * moved
            new = float(r.dot(r))
            p = r - new / rr * p
            rr = new
            residuals.append((rr / first) ** 0.5)
        return Direction(
            x=x,
            curvature=float(x.dot(product(x))),
            residuals=tuple(residuals),
            curvatures=tuple(curvatures),
            alphas=(),
            betas=(),
        )

    training.parts = replace(training.parts, conjugate_gradient=unconjugated)


def stochastic_fisher(training: Training, severity: float) -> None:
    honest = training.parts.fisher_product

    def product(at: Linearised, damping: float) -> Product:
        whole, generator = honest(at, damping), generator_of(training, PARTIAL)

        def dropped(v: Tensor) -> Tensor:
            kept = torch.from_numpy(generator.random(len(v)) >= severity).to(v)
            return whole(v * kept) / (1 - severity)

        return dropped

    training.parts = replace(training.parts, fisher_product=product)


def singular_fisher(training: Training, severity: float) -> None:
    training.config = replace(training.config, damping=0.0, cg_iters=round(severity))


def subtracted_damping(training: Training, severity: float) -> None:
    honest = training.parts.fisher_product

    def undamped(at: Linearised, damping: float) -> Product:
        return honest(at, -severity * damping)

    training.parts = replace(training.parts, fisher_product=undamped)


def overdamped(training: Training, severity: float) -> None:
    training.config = replace(training.config, damping=severity)
