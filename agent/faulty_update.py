"""What a fault can make of the update: advantages, gradient, direction, step, search, critic."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent import trust_region
from agent.advantages import Advantages, Values
from agent.envs.batch import Array
from agent.gaussian import Gaussian
from agent.linearised import Linearised
from agent.networks import Policy
from agent.parts import Experience, Gradient, Learned, Old, Phases, advantages_first
from agent.sampling import Floats, sample_action
from agent.training import Training
from agent.trust_region import FRACTIONS, Direction, Product, Search
from agent.value import Critic, CriticFit, explained_variance

SHUFFLED, NOISE, PUSHED, PARTIAL = 1001, 1002, 1003, 1004
"""Streams of random numbers, apart from those of the agent."""


def _generator(training: Training, stream: int) -> np.random.Generator:
    return np.random.default_rng([training.config.seed, training.iteration, stream])


def critic_first(training: Training, severity: float) -> None:
    def fit_first(phases: Phases) -> Learned:
        fit = phases.critic(phases.advantages())
        advantages = phases.advantages()
        return Learned(advantages=advantages, step=phases.policy(advantages), fit=fit)

    epochs = max(1, round(training.config.vf_iters * severity))
    training.config = replace(training.config, vf_iters=epochs)
    training.parts = replace(training.parts, order=fit_first)


def _estimated_from(training: Training, change: Callable[[dict[str, Any]], None]) -> None:
    """Let the advantages be estimated from changed arguments."""
    honest = training.parts.advantages

    def estimator(
        *,
        reward: Array,
        values: Values,
        terminated: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        gamma: float,
        lam: float,
    ) -> Array:
        given: dict[str, Any] = {
            "reward": reward,
            "values": values,
            "terminated": terminated,
            "ended": ended,
            "gamma": gamma,
            "lam": lam,
        }
        change(given)
        return honest(**given)

    training.parts = replace(training.parts, advantages=estimator)


def gae_done_mask(training: Training, severity: float) -> None:
    def late(given: dict[str, Any]) -> None:
        for name in ("terminated", "ended"):
            given[name] = np.roll(given[name], round(severity), axis=0)

    _estimated_from(training, late)


def gae_truncation(training: Training, _severity: float) -> None:
    def as_terminal(given: dict[str, Any]) -> None:
        given["terminated"] = given["ended"]

    _estimated_from(training, as_terminal)


def gae_reward_shift(training: Training, severity: float) -> None:
    def early(given: dict[str, Any]) -> None:
        given["reward"] = np.roll(given["reward"], -round(severity), axis=0)

    _estimated_from(training, early)


def _learning_from(training: Training, change: Callable[[Advantages], Advantages]) -> None:
    """Let policy and log have changed advantages; the critic's targets stay right."""

    def order(phases: Phases) -> Learned:
        honest = phases.advantages()
        wrong = change(honest)
        return Learned(advantages=wrong, step=phases.policy(wrong), fit=phases.critic(honest))

    training.parts = replace(training.parts, order=order)


def flipped_advantages(training: Training, _severity: float) -> None:
    def negated(right: Advantages) -> Advantages:
        return replace(
            right,
            raw=-right.raw,
            used=-right.used,
            advantage_raw_mean=-right.advantage_raw_mean,
            advantage_raw_min=-right.advantage_raw_max,
            advantage_raw_max=-right.advantage_raw_min,
            advantage_mean=-right.advantage_mean,
        )

    _learning_from(training, negated)


def misaligned_advantages(training: Training, _severity: float) -> None:
    def transposed(right: Advantages) -> Advantages:
        return replace(right, used=right.used.T.reshape(right.used.shape))

    _learning_from(training, transposed)


def noisy_advantages(training: Training, severity: float) -> None:
    def noisy(right: Advantages) -> Advantages:
        noise = _generator(training, NOISE).standard_normal(right.used.shape)
        used = (right.used + severity * noise) / math.hypot(1.0, severity)
        return replace(right, used=used)

    _learning_from(training, noisy)


def _gradient_of(training: Training, change: Callable[[Gradient], Gradient]) -> None:
    honest = training.parts.gradient

    def gradient(at: Linearised, action: Tensor, old_log_prob: Tensor) -> Gradient:
        return change(honest(at, action, old_log_prob))

    training.parts = replace(training.parts, gradient=gradient)


def detached_gradient(training: Training, _severity: float) -> None:
    nothing = (None,) * len(training.policy.names)
    _gradient_of(training, lambda _right: lambda _advantage: nothing)


def partly_dead_gradient(training: Training, severity: float) -> None:
    def cut(right: Gradient) -> Gradient:
        def gradient(advantage: Tensor) -> tuple[Tensor | None, ...]:
            tensors = right(advantage)
            dead = max(1, round(severity * len(tensors)))
            return (None,) * dead + tensors[dead:]

        return gradient

    # log σ comes first among the parameters of the tanh policy, then the layers from below.
    _gradient_of(training, cut)


def flipped_gradient(training: Training, _severity: float) -> None:
    def downhill(right: Gradient) -> Gradient:
        return lambda advantage: tuple(None if t is None else -t for t in right(advantage))

    _gradient_of(training, downhill)


def shuffled_gradient(training: Training, _severity: float) -> None:
    def shuffled(right: Gradient) -> Gradient:
        order = _generator(training, SHUFFLED).permutation
        return lambda advantage: right(advantage[torch.from_numpy(order(len(advantage)))])

    _gradient_of(training, shuffled)


def gradient_spikes(training: Training, severity: float) -> None:
    def spiked(right: Gradient) -> Gradient:
        def gradient(advantage: Tensor) -> tuple[Tensor | None, ...]:
            *others, last = right(advantage)
            return (*others, None if last is None else severity * last)

        return gradient

    _gradient_of(training, spiked)


def noiseless_sampling(training: Training, severity: float) -> None:
    def quiet(mean: Floats, log_std: Floats, noise: Floats) -> Floats:
        return sample_action(mean, log_std, np.float32(severity) * noise)

    training.parts = replace(training.parts, sample_action=quiet)


def stale_old_policy(training: Training, _severity: float) -> None:
    freeze = training.parts.freeze

    def one_update_ago(
        policy: Policy, theta: Tensor, experience: Experience, _started: Gaussian
    ) -> Old:
        stale = training.memory.get("stale-old-policy", theta).to(theta)
        training.memory["stale-old-policy"] = theta
        then = policy.exactly(stale, experience.observation)
        return freeze(policy, stale, experience, then)

    training.parts = replace(training.parts, freeze=one_update_ago)


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
        whole, generator = honest(at, damping), _generator(training, PARTIAL)

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


def max_kl(training: Training, severity: float) -> None:
    training.config = replace(training.config, max_kl=severity)


def swamped_step(training: Training, severity: float) -> None:
    full_step = training.parts.full_step

    def swamped(direction: Direction, max_kl: float) -> Tensor:
        curvature = direction.curvature
        share = float((curvature / (curvature + severity)) ** 0.5)
        return full_step(direction, max_kl) * share

    training.parts = replace(training.parts, full_step=swamped)


def wrong_step_length(training: Training, severity: float) -> None:
    full_step = training.parts.full_step

    def scaled(direction: Direction, max_kl: float) -> Tensor:
        return full_step(direction, max_kl) * severity

    training.parts = replace(training.parts, full_step=scaled)


def parameters_not_applied(training: Training, severity: float) -> None:
    candidate = training.parts.candidate

    def kept(theta: Tensor, step: Tensor, fraction: float) -> Tensor:
        return candidate(theta, step, fraction * severity)

    training.parts = replace(training.parts, candidate=kept)


def flipped_line_search(training: Training, _severity: float) -> None:
    surrogate = training.parts.surrogate

    def cost(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor) -> Tensor:
        return -surrogate(log_prob, old_log_prob, advantage)

    training.parts = replace(training.parts, surrogate=cost)


def self_referential_kl(training: Training, _severity: float) -> None:
    kl = training.parts.kl
    training.parts = replace(training.parts, kl=lambda _old, new: kl(new, new))


def _searched(
    training: Training, accepts: Callable[[float, float, float], bool], longer: float = 1.0
) -> None:
    """A search that asks `accepts(gain, kl, max_kl)`, along a step `longer` times as long."""

    def search(measure: Callable[[float], tuple[float, float]], max_kl: float) -> Search:
        gains: list[float] = []
        kls: list[float] = []

        def found(fraction: float | None) -> Search:
            tried = FRACTIONS[: len(gains)]
            return Search(fractions=tried, gains=tuple(gains), kls=tuple(kls), fraction=fraction)

        for fraction in FRACTIONS:
            gain, kl = measure(fraction)
            gains.append(gain)
            kls.append(kl)
            if accepts(gain, kl, max_kl):
                return found(fraction)
        return found(None)

    training.parts = replace(training.parts, line_search=search)
    if longer != 1.0:
        wrong_step_length(training, longer)


def impossible_search(training: Training, _severity: float) -> None:
    _searched(training, lambda gain, kl, max_kl: gain > 0 and kl > max_kl)


def unchecked_kl(training: Training, severity: float) -> None:
    _searched(training, lambda gain, _kl, _max_kl: gain > 0, longer=severity)


def pushed_policy(training: Training, severity: float) -> None:
    """Another optimiser moves the policy by SEVERITY of its parameters' norm."""

    def order(phases: Phases) -> Learned:
        learned = advantages_first(phases)
        theta = training.policy.theta()
        push = torch.from_numpy(_generator(training, PUSHED).standard_normal(len(theta)))
        length = severity * float(theta.double().norm() / push.norm())
        training.policy.load(theta + (length * push).to(theta))
        return learned

    training.parts = replace(training.parts, order=order)


def frozen_critic(training: Training, _severity: float) -> None:
    def fit(
        critic: Critic, observation: NDArray[np.float32], targets: Array, *_settings: Any
    ) -> CriticFit:
        residual = targets - critic.values(observation)
        return CriticFit(
            explained_variance_after=explained_variance(targets, residual),
            value_loss_after=float(np.mean(residual**2)),
            value_parameter_delta_norm=0.0,
        )

    training.parts = replace(training.parts, fit_critic=fit)


def negated_targets(training: Training, severity: float) -> None:
    honest = training.parts.fit_critic

    def fit(
        critic: Critic, observation: NDArray[np.float32], targets: Array, *settings: Any
    ) -> CriticFit:
        done = honest(critic, observation, -severity * targets, *settings)
        residual = targets - critic.values(observation)
        return replace(
            done,
            explained_variance_after=explained_variance(targets, residual),
            value_loss_after=float(np.mean(residual**2)),
        )

    training.parts = replace(training.parts, fit_critic=fit)


def _parameter(training: Training, name: str) -> Tensor:
    return training.policy.module.get_parameter(name)


@torch.no_grad()
def collapsed_sigma(training: Training, severity: float) -> None:
    _parameter(training, "log_std").fill_(severity)


@torch.no_grad()
def saturated_policy(training: Training, severity: float) -> None:
    _parameter(training, "body.0.weight").mul_(severity)


@torch.no_grad()
def saturated_actions(training: Training, severity: float) -> None:
    _parameter(training, "mean.bias").add_(severity)
