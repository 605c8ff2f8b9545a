"""What a fault can make of the advantages: their recursion, their sign, their order."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.advantages import Advantages, Values
from agent.envs.batch import Array
from agent.faulty_draws import NOISE, generator_of
from agent.parts import Learned, Phases
from agent.training import Training


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
        noise = generator_of(training, NOISE).standard_normal(right.used.shape)
        used = (right.used + severity * noise) / math.hypot(1.0, severity)
        return replace(right, used=used)

    _learning_from(training, noisy)
