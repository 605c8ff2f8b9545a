"""What a fault can make of the critic's fit."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.parts import Learned, Phases
from agent.training import Training
from agent.value import Critic, CriticFit, explained_variance


def critic_first(training: Training, severity: float) -> None:
    def fit_first(phases: Phases) -> Learned:
        fit = phases.critic(phases.advantages())
        advantages = phases.advantages()
        return Learned(advantages=advantages, step=phases.policy(advantages), fit=fit)

    epochs = max(1, round(training.config.vf_iters * severity))
    training.config = replace(training.config, vf_iters=epochs)
    training.parts = replace(training.parts, order=fit_first)


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
