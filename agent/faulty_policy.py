"""What a fault can make of the policy: how it samples, where it saturates, who else moves it."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from agent.faulty_draws import PUSHED, generator_of
from agent.parts import Learned, Phases, advantages_first
from agent.sampling import Floats, sample_action
from agent.training import Training


def noiseless_sampling(training: Training, severity: float) -> None:
    def quiet(mean: Floats, log_std: Floats, noise: Floats) -> Floats:
        return sample_action(mean, log_std, np.float32(severity) * noise)

    training.parts = replace(training.parts, sample_action=quiet)


def pushed_policy(training: Training, severity: float) -> None:
    """Another optimiser moves the policy by SEVERITY of its parameters' norm."""

    def order(phases: Phases) -> Learned:
        learned = advantages_first(phases)
        theta = training.policy.theta()
        push = torch.from_numpy(generator_of(training, PUSHED).standard_normal(len(theta)))
        length = severity * float(theta.double().norm() / push.norm())
        training.policy.load(theta + (length * push).to(theta))
        return learned

    training.parts = replace(training.parts, order=order)


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
