"""The TRPO update (Schulman et al. 2015, arXiv 1502.05477), phase by phase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent import gaussian, trust_region
from agent.advantages import Advantages
from agent.columns import ChangeColumns, DirectionColumns, GradientColumns, SearchColumns
from agent.config import Config
from agent.gaussian import Gaussian
from agent.gradient_noise import cosine_columns
from agent.linearised import Linearised, linearise
from agent.networks import Policy, flat
from agent.parts import Experience, Parts, Step
from agent.trust_region import Direction, Product, Search

ROUNDING = 1024
"""A gradient of at most this many units in the last place, in units of Â/σ, is rounding."""
OCCASIONALLY = 5
"""Costly diagnostics (gradient noise, reward model) are computed in iterations 1, 6, 11, …"""
PERMUTED = 3
"""Stream of random numbers for the advantages' shuffles."""
FISHER_STATES = 4
"""Stream of random numbers for the share of the states that the Fisher products use."""
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
    on_batch = _OnBatch(policy, theta, experience)
    started = on_batch(theta)
    old = parts.freeze(policy, theta, experience, started.pi)
    advantage = torch.from_numpy(advantages.used.reshape(-1)).to(old.log_prob.device)
    before = parts.surrogate(started.log_prob, old.log_prob, advantage)
    at = linearise(policy, theta, experience.observation)
    direction, search = DirectionColumns(), SearchColumns()
    gradient = GradientColumns(trainable_parameters=sum(policy.sizes))
    fraction, outcome = 0.0, "skipped-non-finite"
    moved = theta
    seen = experience.observation.sum(dtype=torch.float64)  # one that is not finite spoils it
    if advantages.finite and bool(seen.isfinite()):
        slope = parts.gradient(at, experience.action, old.log_prob)
        tensors = slope(advantage)
        g = flat(tensors, policy.sizes, at.pi.mean)
        noise: dict[str, float | None] = {}
        if iteration % OCCASIONALLY == 1:
            noise = cosine_columns(
                lambda part: flat(slope(part), policy.sizes, at.pi.mean),
                g,
                advantage,
                experience.half,
                np.random.default_rng([config.seed, iteration, PERMUTED]),
            )
        gradient = _gradient_columns(tensors, g, noise)
        outcome = _before_direction(g, advantages, started.pi, torch.finfo(policy.dtype).eps)
        if outcome == "go on":
            there = _fisher_states(policy, theta, at, experience.observation, config, iteration)
            product = parts.fisher_product(there, config.damping)
            found = parts.conjugate_gradient(product, g, config.cg_iters, config.cg_tolerance)
            s = parts.full_step(found, config.max_kl)
            direction = _direction_columns(found, product, g, s, config, iteration)
            outcome = "skipped-non-finite"
            if bool(torch.isfinite(s).all()):

                def measure(fraction: float) -> tuple[float, float]:
                    tried = on_batch(parts.candidate(theta, s, fraction))
                    gain = parts.surrogate(tried.log_prob, old.log_prob, advantage) - before
                    return float(gain), float(parts.kl(old.distribution, tried.pi))

                tried = parts.line_search(measure, config.max_kl)
                search = _search_columns(tried, float(g.dot(s)))
                outcome = "rejected" if tried.fraction is None else "accepted"
                if tried.fraction is not None:
                    fraction = tried.fraction
                    moved = parts.candidate(theta, s, fraction)
    policy.load(moved)
    in_force = policy.theta()
    now = on_batch(in_force)
    log_ratio = now.log_prob - old.log_prob
    ratio = log_ratio.exp()
    sampled_ratio = (experience.log_prob - old.log_prob).exp()
    # What is measured of the step uses the advantages as estimated, whatever gradient and search
    # were given: only so can it tell on them.
    estimated = torch.from_numpy(advantages.standardised.reshape(-1)).to(log_ratio.device)

    def loss(at: _Evaluated) -> float:
        return -float(parts.surrogate(at.log_prob, old.log_prob, estimated))

    return Step(
        theta_before=theta,
        theta=moved,
        started=started.pi,
        accepted=now.pi,
        log_prob=now.log_prob,
        saturated_fraction=at.saturated_fraction(),
        gradient=gradient,
        direction=direction,
        search=search,
        change=ChangeColumns(
            update_outcome=outcome,
            policy_parameter_norm=float(theta.double().norm()),
            policy_loss_before=loss(started),
            policy_loss=loss(now),
            step_fraction=fraction,
            step_parameter_delta_norm=float((in_force.double() - theta.double()).norm()),
            kl=float(parts.kl(old.distribution, now.pi)),
            entropy_after=float(gaussian.entropy(now.pi).mean()),
            ratio_before_mean=float(sampled_ratio.mean()),
            ratio_before_std=float(sampled_ratio.std(correction=0)),
            ratio_mean=float(ratio.mean()),
            ratio_std=float(ratio.std(correction=0)),
            log_ratio_std=float(log_ratio.std(correction=0)),
            advantage_log_ratio_mean=float((estimated * log_ratio).mean()),
            effective_sample_size=float(ratio.sum() ** 2 / (len(ratio) * (ratio**2).sum())),
        ),
    )


def _fisher_states(
    policy: Policy,
    theta: Tensor,
    at: Linearised,
    observation: Tensor,
    config: Config,
    iteration: int,
) -> Linearised:
    """The policy on the states that the Fisher products use: all of them, or a random share."""
    if config.fisher_fraction == 1:
        return at
    n = len(observation)
    generator = np.random.default_rng([config.seed, iteration, FISHER_STATES])
    chosen = generator.choice(n, max(1, round(config.fisher_fraction * n)), replace=False)
    return linearise(policy, theta, observation[torch.from_numpy(np.sort(chosen))])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluated:
    """One θ on the batch, float64; `log_prob` (N,) of the batch's actions."""

    theta: Tensor
    pi: Gaussian
    log_prob: Tensor


class _OnBatch:
    """θ ↦ π_θ on the batch. The θ of the start and the one asked for last are not computed twice."""

    def __init__(self, policy: Policy, start: Tensor, experience: Experience) -> None:
        self._policy = policy
        self._observation = experience.observation.double()
        self._action = experience.action.double()
        self._start = self._last = self._evaluate(start)

    def __call__(self, theta: Tensor) -> _Evaluated:
        for known in (self._start, self._last):
            if torch.equal(known.theta, theta):
                return known
        self._last = self._evaluate(theta)
        return self._last

    def _evaluate(self, theta: Tensor) -> _Evaluated:
        pi = self._policy.exactly(theta, self._observation)
        return _Evaluated(theta=theta, pi=pi, log_prob=gaussian.log_prob(pi, self._action))


def _before_direction(g: Tensor, advantages: Advantages, pi: Gaussian, eps: float) -> str:
    """Why the update ends at the gradient, or "go on"."""
    if not advantages.alive:
        return "skipped-advantages"
    if not bool(torch.isfinite(g).all()):
        return "skipped-non-finite"
    rounding = ROUNDING * eps * advantages.advantage_std * float((-pi.log_std.mean()).exp())
    return "skipped-gradient" if float(g.norm()) <= rounding else "go on"


def _gradient_columns(
    tensors: Sequence[Tensor | None], g: Tensor, noise: dict[str, float | None]
) -> GradientColumns:
    return GradientColumns(
        trainable_parameters=len(g),
        gradient_norm=float(g.norm()),
        gradient_norms=[None if t is None else _norm(t) for t in tensors],
        **noise,
    )


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64))


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
