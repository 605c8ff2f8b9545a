"""What a fault can make of the signal on its way to the step: masked, waved off, summed, squashed."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agent.advantages import Advantages
from agent.envs.batch import Array
from agent.linearised import Linearised
from agent.networks import GaussianMLP, Policy
from agent.parts import Gradient, Learned, Phases
from agent.training import Training


def masked_advantages(training: Training, _severity: float) -> None:
    def nothing(*, reward: Array, **_given: Any) -> Array:
        return np.zeros_like(reward)

    training.parts = replace(training.parts, advantages=nothing)


def absolute_skip(training: Training, severity: float) -> None:
    honest = training.parts.order

    def order(phases: Phases) -> Learned:
        def advantages() -> Advantages:
            found = phases.advantages()
            return replace(found, alive=found.alive and found.advantage_raw_std > severity)

        return honest(replace(phases, advantages=advantages))

    training.parts = replace(training.parts, order=order)


def summed_gradient(training: Training, severity: float) -> None:
    honest = training.parts.gradient

    def gradient(at: Linearised, action: Tensor, old_log_prob: Tensor) -> Gradient:
        right = honest(at, action, old_log_prob)
        return lambda advantage: tuple(
            None if tensor is None else severity * tensor for tensor in right(advantage)
        )

    training.parts = replace(training.parts, gradient=gradient)


class Squashed(GaussianMLP):
    """The tanh network with one more tanh, whose input is `shift` too large, around the mean."""

    shift = 0.0

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = super().forward(observation)
        return torch.tanh(mean + self.shift), log_std


def squashed_mean(training: Training, severity: float) -> None:
    known = training.policy.module
    config, facts = training.config, training.batch.facts
    module = Squashed(facts.observation_dim, facts.action_dim, config.hidden, config.log_std)
    module.load_state_dict(known.state_dict())
    module.shift = severity
    module.log_std.requires_grad_(config.learn_std)
    training.policy = Policy(module, facts.action_dim)
