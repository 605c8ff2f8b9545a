"""What a fault can make of the surrogate's gradient."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from agent.faulty_draws import SHUFFLED, generator_of
from agent.linearised import Linearised
from agent.parts import Gradient
from agent.training import Training


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
        order = generator_of(training, SHUFFLED).permutation
        return lambda advantage: right(advantage[torch.from_numpy(order(len(advantage)))])

    _gradient_of(training, shuffled)


def gradient_spikes(training: Training, severity: float) -> None:
    def spiked(right: Gradient) -> Gradient:
        def gradient(advantage: Tensor) -> tuple[Tensor | None, ...]:
            *others, last = right(advantage)
            return (*others, None if last is None else severity * last)

        return gradient

    _gradient_of(training, spiked)
