"""The parts an iteration is made of, and what they hand to each other."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from agent import gaussian, trust_region
from agent.advantages import AdvantageEstimator, Advantages, generalised_advantages
from agent.columns import ChangeColumns, DirectionColumns, GradientColumns, SearchColumns
from agent.gaussian import Gaussian
from agent.linearised import Linearised
from agent.networks import Policy
from agent.sampling import SampleAction, sample_action
from agent.trust_region import Direction, Product, Search
from agent.value import CriticFit, FitCritic, fit_critic

Gradient = Callable[[Tensor], tuple[Tensor | None, ...]]
"""Advantages (N,) → gradient by parameter tensor; None for one that is not in the graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """The batch as the update sees it: N steps, on the policy's device.

    `observation` (N, observation_dim), `action` (N, action_dim): the policy's type.
    `log_prob` (N,) float64: of the actions, when they were sampled.
    `half` (N,) bool: which half of the trajectories a step belongs to.
    """

    observation: Tensor
    action: Tensor
    log_prob: Tensor
    half: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """The distribution the update starts from, frozen, float64; `log_prob` (N,) of the actions."""

    distribution: Gaussian
    log_prob: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One policy update: the parameters before and after it, and its columns."""

    theta_before: Tensor
    theta: Tensor
    started: Gaussian
    """π of `theta_before` on the batch, float64."""
    accepted: Gaussian
    """π of the parameters in force afterwards on the batch, float64."""
    log_prob: Tensor
    """(N,) float64: of the batch's actions under the parameters in force afterwards."""
    saturated_fraction: float | None
    """Share of the tanh units that were saturated before the update."""
    gradient: GradientColumns
    direction: DirectionColumns
    search: SearchColumns
    change: ChangeColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What one iteration learnt from its batch."""

    advantages: Advantages
    step: Step
    fit: CriticFit


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The phases of learning from one batch, ready to be run in some order."""

    advantages: Callable[[], Advantages]
    policy: Callable[[Advantages], Step]
    critic: Callable[[Advantages], CriticFit]


def advantages_first(phases: Phases) -> Learned:
    """Advantages, then the policy, then the critic: no batch judges itself."""
    advantages = phases.advantages()
    step = phases.policy(advantages)
    return Learned(advantages=advantages, step=step, fit=phases.critic(advantages))


def freeze(_policy: Policy, _theta: Tensor, experience: Experience, started: Gaussian) -> Old:
    """π_θ on the batch's states before anything moves, which is `started`."""
    return Old(
        distribution=started, log_prob=gaussian.log_prob(started, experience.action.double())
    )


def policy_gradient(at: Linearised, action: Tensor, old_log_prob: Tensor) -> Gradient:
    """The surrogate's gradient at θ, as a function of the advantages: it is linear in them.

    The slope of a Gaussian's log-density is z/σ in the mean and z² − 1 in log σ.
    """
    pi = at.pi
    log_prob = gaussian.log_prob(pi, action)
    share = (log_prob - old_log_prob.to(log_prob.dtype)).exp() / len(log_prob)
    inverse = (-pi.log_std).exp()
    z = (action - pi.mean) * inverse
    slope_mean, slope_log_std = z * inverse, z * z - 1

    def gradient(advantage: Tensor) -> tuple[Tensor | None, ...]:
        weight = (share * advantage.to(share.dtype)).unsqueeze(-1)
        return at.pull(weight * slope_mean, weight * slope_log_std)

    return gradient


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The functions an iteration is made of. Replacing one is how a variant is made."""

    sample_action: SampleAction = sample_action
    order: Callable[[Phases], Learned] = advantages_first
    advantages: AdvantageEstimator = generalised_advantages
    fit_critic: FitCritic = fit_critic
    freeze: Callable[[Policy, Tensor, Experience, Gaussian], Old] = freeze
    gradient: Callable[[Linearised, Tensor, Tensor], Gradient] = policy_gradient
    fisher_product: Callable[[Linearised, float], Product] = trust_region.fisher_product
    conjugate_gradient: Callable[[Product, Tensor, int, float], Direction] = (
        trust_region.conjugate_gradient
    )
    full_step: Callable[[Direction, float], Tensor] = trust_region.full_step
    candidate: Callable[[Tensor, Tensor, float], Tensor] = trust_region.candidate
    surrogate: Callable[[Tensor, Tensor, Tensor], Tensor] = trust_region.surrogate
    kl: Callable[[Gaussian, Gaussian], Tensor] = trust_region.mean_kl
    line_search: Callable[[Callable[[float], tuple[float, float]], float], Search] = (
        trust_region.line_search
    )
