"""The TRPO update (Schulman et al. 2015, arXiv 1502.05477), phase by phase."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agent import gaussian, trust_region
from agent.advantages import Advantages
from agent.columns import ChangeColumns, DirectionColumns, GradientColumns, SearchColumns
from agent.config import Config
from agent.gaussian import Gaussian
from agent.gradient_noise import cosine_columns
from agent.networks import Policy, flat
from agent.parts import Experience, Old, Parts, Step
from agent.trust_region import Direction, Product, Search

ROUNDING = 1024
"""A gradient of at most this many units in the last place, in units of Â/σ, is rounding."""
OCCASIONALLY = 5
"""Costly diagnostics (gradient noise, reward model) are computed in iterations 1, 6, 11, …"""
RARELY = 10
"""The true residual of the conjugate gradient costs a product: iterations 1, 11, 21, …"""


def update_policy(
    parts: Parts,
    policy: Policy,
    experience: Experience,
    advantages: Advantages,
    config: Config,
    iteration: int,
) -> Step:
    """Take one step within the trust region, or say why not. A failed search restores θ exactly."""
    theta = policy.theta()
    observation, action = experience.observation, experience.action
    old = parts.freeze(policy, theta, experience)
    advantage = torch.from_numpy(advantages.used.reshape(-1)).to(observation.device)
    started = policy.exactly(theta, observation)
    before = parts.surrogate(gaussian.log_prob(started, action.double()), old.log_prob, advantage)
    direction, search = DirectionColumns(), SearchColumns()
    gradient = GradientColumns(trainable_parameters=sum(policy.sizes))
    fraction, outcome = 0.0, "skipped-non-finite"
    moved = theta
    if advantages.finite and bool(torch.isfinite(observation).all()):
        tensors = parts.gradient(policy, theta, observation, action, old.log_prob, advantage)
        g = flat(tensors, policy.sizes, theta)
        gradient = _gradient_columns(
            parts, policy, theta, experience, old, advantage, tensors, g, config, iteration
        )
        outcome = _before_direction(g, advantages, started, torch.finfo(policy.dtype).eps)
        if outcome == "go on":
            product = parts.fisher_product(policy, theta, observation, config.damping)
            found = parts.conjugate_gradient(product, g, config.cg_iters, config.cg_tolerance)
            s = parts.full_step(found, config.max_kl)
            direction = _direction_columns(found, product, g, s, config, iteration)
            outcome = "skipped-non-finite"
            if bool(torch.isfinite(s).all()):

                def measure(fraction: float) -> tuple[float, float]:
                    pi = policy.exactly(parts.candidate(theta, s, fraction), observation)
                    log_prob = gaussian.log_prob(pi, action.double())
                    gain = parts.surrogate(log_prob, old.log_prob, advantage) - before
                    return float(gain), float(parts.kl(old.distribution, pi))

                tried = parts.line_search(measure, config.max_kl)
                search = _search_columns(tried, float(g.dot(s)))
                outcome = "rejected" if tried.fraction is None else "accepted"
                if tried.fraction is not None:
                    fraction = tried.fraction
                    moved = parts.candidate(theta, s, fraction)
    policy.load(moved)
    now = policy.exactly(policy.theta(), observation)
    log_prob = gaussian.log_prob(now, action.double())
    log_ratio = log_prob - old.log_prob
    ratio = log_ratio.exp()
    sampled_ratio = (experience.log_prob - old.log_prob).exp()
    return Step(
        theta_before=theta,
        theta=moved,
        log_prob=log_prob,
        gradient=gradient,
        direction=direction,
        search=search,
        change=ChangeColumns(
            update_outcome=outcome,
            policy_parameter_norm=float(theta.double().norm()),
            policy_loss_before=-float(before),
            policy_loss=-float(parts.surrogate(log_prob, old.log_prob, advantage)),
            step_fraction=fraction,
            step_parameter_delta_norm=float((policy.theta().double() - theta.double()).norm()),
            kl=float(parts.kl(old.distribution, now)),
            entropy_after=float(gaussian.entropy(now).mean()),
            ratio_before_mean=float(sampled_ratio.mean()),
            ratio_before_std=float(sampled_ratio.std(correction=0)),
            ratio_mean=float(ratio.mean()),
            ratio_std=float(ratio.std(correction=0)),
            log_ratio_std=float(log_ratio.std(correction=0)),
            advantage_log_ratio_mean=float((advantage * log_ratio).mean()),
            effective_sample_size=float(ratio.sum() ** 2 / (len(ratio) * (ratio**2).sum())),
        ),
    )


def _before_direction(g: Tensor, advantages: Advantages, pi: Gaussian, eps: float) -> str:
    """Why the update ends at the gradient, or "go on"."""
    if not advantages.alive:
        return "skipped-advantages"
    if not bool(torch.isfinite(g).all()):
        return "skipped-non-finite"
    rounding = ROUNDING * eps * advantages.advantage_std * float((-pi.log_std.mean()).exp())
    return "skipped-gradient" if float(g.norm()) <= rounding else "go on"


def _gradient_columns(
    parts: Parts,
    policy: Policy,
    theta: Tensor,
    experience: Experience,
    old: Old,
    advantage: Tensor,
    tensors: Sequence[Tensor | None],
    g: Tensor,
    config: Config,
    iteration: int,
) -> GradientColumns:
    noise: dict[str, Any] = {}
    if iteration % OCCASIONALLY == 1:

        def half(advantage: Tensor, which: Tensor) -> Tensor:
            part = parts.gradient(
                policy,
                theta,
                experience.observation[which],
                experience.action[which],
                old.log_prob[which],
                advantage[which],
            )
            return flat(part, policy.sizes, theta)

        generator = np.random.default_rng([config.seed, iteration, 3])
        noise = cosine_columns(half, advantage, experience.half, generator)
    return GradientColumns(
        trainable_parameters=sum(policy.sizes),
        gradient_norm=float(g.norm()),
        gradient_norms=[None if t is None else float(t.double().norm()) for t in tensors],
        **noise,
    )


def _direction_columns(
    found: Direction, product: Product, g: Tensor, s: Tensor, config: Config, iteration: int
) -> DirectionColumns:
    true_residual = None
    if iteration % RARELY == 1:
        true_residual = float((product(found.x) - g).norm() / g.norm())
    ritz = trust_region.ritz_values(found, config.damping)
    return DirectionColumns(
        step_direction_norm=float(found.x.norm()),
        cg_iterations=len(found.residuals),
        cg_residual=found.residuals[-1] if found.residuals else 1.0,
        cg_residual_true=true_residual,
        cg_min_curvature=min(found.curvatures) if found.curvatures else None,
        curvature=found.curvature,
        gradient_dot_direction=float(g.dot(found.x)),
        fisher_ritz_min=None if ritz is None else ritz[0],
        fisher_ritz_max=None if ritz is None else ritz[1],
        cg_residuals=list(found.residuals),
        cg_curvatures=list(found.curvatures),
        full_step_norm=float(s.norm()),
        expected_improvement=float(g.dot(s)),
    )


def _search_columns(search: Search, expected: float) -> SearchColumns:
    accepted = search.fraction is not None
    gain = search.gains[-1] if accepted else 0.0
    return SearchColumns(
        kl_full_step=search.kls[0],
        line_search_success=accepted,
        line_search_steps=len(search.fractions),
        line_search_fractions=list(search.fractions),
        line_search_gains=list(search.gains),
        line_search_kls=list(search.kls),
        actual_improvement=gain,
        improvement_ratio=gain / (search.fraction * expected) if search.fraction else None,
    )
