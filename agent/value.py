"""The critic: a tanh network in units of its targets, its backward pass and Adam, one fit of it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent.envs.batch import Array

BETA_1, BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8
MEMORY = 0.9
"""Share of the old moments of the targets that a new batch leaves in force."""
FLOOR = 1e-3
"""The unit is at least this share of the largest target: targets may become constant."""


class Critic:
    """V(s) = centre + unit · network(normalised observation), the network tanh layers and one linear
    output that starts at 0. Centre and unit follow the targets, and the output layer is rescaled
    so that V itself does not move (van Hasselt et al. 2016, arXiv 1602.07714): the fit is as quick for
    returns around 1000 as for returns around 1.

    Parameters, gradient and Adam's moments are one flat float32 vector each; the layers are views.
    The backward pass of a tanh network is short, and written out it runs several times faster.
    """

    def __init__(
        self,
        observation_dim: int,
        hidden: Sequence[int],
        generator: torch.Generator,
        device: str | torch.device = "cpu",
    ) -> None:
        sizes = (observation_dim, *hidden, 1)
        self._shapes = tuple(itertools.pairwise(sizes))
        count = sum((n_in + 1) * n_out for n_in, n_out in self._shapes)
        self.theta, self._gradient, self._m, self._v = (
            torch.zeros(count, device=device) for _ in range(4)
        )
        self._steps = 0
        self.centre, self.unit = 0.0, 1.0
        self._known = False
        self._layers = self._views(self.theta)
        self._slopes = self._views(self._gradient)
        for weight, _ in self._layers[:-1]:
            start = torch.empty(weight.shape)
            torch.nn.init.orthogonal_(start, 2**0.5, generator=generator)
            weight.copy_(start)

    def _views(self, vector: Tensor) -> list[tuple[Tensor, Tensor]]:
        views, at = [], 0
        for n_in, n_out in self._shapes:
            weight = vector[at : at + n_in * n_out].view(n_in, n_out)
            at += n_in * n_out
            views.append((weight, vector[at : at + n_out]))
            at += n_out
        return views

    def values(self, observation: NDArray[np.float32]) -> Array:
        """V of (…, observation_dim): (…,) float64."""
        x = torch.from_numpy(observation.reshape(-1, observation.shape[-1])).to(self.theta.device)
        raw = self._activations(x)[-1].double().cpu().numpy().reshape(observation.shape[:-1])
        values: Array = self.centre + self.unit * raw
        return values

    def _activations(self, x: Tensor) -> list[Tensor]:
        layers = [x]
        for weight, bias in self._layers[:-1]:
            layers.append(torch.addmm(bias, layers[-1], weight).tanh_())
        weight, bias = self._layers[-1]
        layers.append(torch.addmm(bias, layers[-1], weight).squeeze(-1))
        return layers

    def adopt(self, targets: Array) -> None:
        """Let centre and unit follow finite targets; V stays what it is."""
        mean, spread = float(targets.mean()), float(targets.std())
        kept = MEMORY if self._known else 0.0
        centre = kept * self.centre + (1 - kept) * mean
        second = kept * self.unit**2 + (1 - kept) * (spread**2 + (mean - centre) ** 2)
        unit = max(second**0.5, FLOOR * float(np.max(np.abs(targets))))
        if unit == 0:
            return  # nothing but zeros so far
        weight, bias = self._layers[-1]
        weight.mul_(self.unit / unit)
        bias.mul_(self.unit / unit).add_((self.centre - centre) / unit)
        self.centre, self.unit, self._known = centre, unit, True

    def rescale(self, factor: float) -> None:
        """Let V follow rewards that from now on are `factor` times as large."""
        self.centre *= factor
        self.unit *= factor

    def descend(self, x: Tensor, target: Tensor, rate: float) -> None:
        """One Adam step on the mean squared error of a minibatch, in the critic's unit."""
        activations = self._activations(x)
        delta = ((2 / len(x)) * (activations[-1] - target)).unsqueeze(-1)
        for k in range(len(self._layers) - 1, -1, -1):
            slope, slope_bias = self._slopes[k]
            torch.mm(activations[k].t(), delta, out=slope)
            torch.sum(delta, 0, out=slope_bias)
            if k:
                h = activations[k]
                delta = (delta @ self._layers[k][0].t()) * (1 - h * h)
        self._steps += 1
        self._m.lerp_(self._gradient, 1 - BETA_1)
        self._v.mul_(BETA_2).addcmul_(self._gradient, self._gradient, value=1 - BETA_2)
        correction = (1 - BETA_2**self._steps) ** 0.5
        denominator = self._v.sqrt().div_(correction).add_(ADAM_EPSILON)
        self.theta.addcdiv_(self._m, denominator, value=-rate / (1 - BETA_1**self._steps))

    def snapshot(self) -> dict[str, Any]:
        return {
            "theta": self.theta.clone(),
            "m": self._m.clone(),
            "v": self._v.clone(),
            "steps": self._steps,
            "centre": self.centre,
            "unit": self.unit,
            "known": self._known,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.theta.copy_(snapshot["theta"])
        self._m.copy_(snapshot["m"])
        self._v.copy_(snapshot["v"])
        self._steps = int(snapshot["steps"])
        self.centre, self.unit = float(snapshot["centre"]), float(snapshot["unit"])
        self._known = bool(snapshot["known"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticFit:
    """What one fit did; every field is a column of the log."""

    explained_variance_after: float | None
    value_loss_after: float
    value_parameter_delta_norm: float


FitCritic = Callable[
    [Critic, NDArray[np.float32], Array, int, int, float, np.random.Generator], CriticFit
]


def fit_critic(
    critic: Critic,
    observation: NDArray[np.float32],
    targets: Array,
    epochs: int,
    minibatch: int,
    rate: float,
    generator: np.random.Generator,
) -> CriticFit:
    """Fit V to the targets: `epochs` passes of Adam over shuffled minibatches.

    Targets that are not finite would destroy the critic for good: then nothing is fitted.
    """
    device = critic.theta.device
    x = torch.from_numpy(observation.reshape(-1, observation.shape[-1])).to(device)
    before = critic.theta.double()
    if np.isfinite(targets).all() and np.isfinite(observation).all():
        critic.adopt(targets)
        scaled = (targets.reshape(-1) - critic.centre) / critic.unit
        y = torch.from_numpy(scaled).to(device, torch.float32)
        for _ in range(epochs):
            order = torch.from_numpy(generator.permutation(len(x))).to(device)
            for index in torch.split(order, minibatch):
                critic.descend(x[index], y[index], rate)
    residual = targets - critic.values(observation)
    return CriticFit(
        explained_variance_after=explained_variance(targets, residual),
        value_loss_after=float(np.mean(residual**2)),
        value_parameter_delta_norm=float((critic.theta.double() - before).norm()),
    )


def explained_variance(targets: Array, residual: Array) -> float | None:
    """1 − Var(residual)/Var(targets); None when the targets do not vary beyond rounding."""
    spread = float(targets.std())
    if spread <= 32 * float(np.finfo(np.float32).eps) * float(np.max(np.abs(targets))):
        return None
    return 1.0 - float(residual.var()) / spread**2
