"""What a fault can make of the step: its length, the old policy, the line search."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from agent.gaussian import Gaussian
from agent.networks import Policy
from agent.parts import Experience, Old
from agent.training import Training
from agent.trust_region import FRACTIONS, Direction, Search


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


def self_referential_kl(training: Training, _severity: float) -> None:
    kl = training.parts.kl
    training.parts = replace(training.parts, kl=lambda _old, new: kl(new, new))


def flipped_line_search(training: Training, _severity: float) -> None:
    surrogate = training.parts.surrogate

    def cost(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor) -> Tensor:
        return -surrogate(log_prob, old_log_prob, advantage)

    training.parts = replace(training.parts, surrogate=cost)


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
