"""What a critic is, and one fit of it to the value targets of a batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent.envs.batch import Array
from agent.mlp import Matrix


class Critic(Protocol):
    """V(s), in training units, and what a fit asks of it."""

    @property
    def theta(self) -> Tensor:
        """Its parameters: (parameters,)."""

    def values(self, observation: NDArray[np.float32]) -> Array:
        """V of (…, observation_dim): (…,) float64."""

    def rescale(self, factor: float) -> None:
        """Let V follow rewards that from now on are `factor` times as large."""

    def adopt(self, targets: Array) -> None:
        """Choose the unit of the fit by finite targets; V stays what it is."""

    def matrices(self, observation: NDArray[np.float32], targets: Array) -> tuple[Matrix, Matrix]:
        """Observations (N, observation_dim) and targets (N, 1) as `descend` takes rows of them."""

    def descend(self, x: Matrix, target: Matrix, rate: float) -> None:
        """One Adam step of step size `rate` on the mean squared error of a minibatch."""

    def snapshot(self) -> dict[str, Any]: ...
    def restore(self, snapshot: dict[str, Any]) -> None: ...


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
    """Fit V to the targets and measure what it did.

    Targets that are not finite would destroy the critic for good: then nothing is fitted.
    """
    before = critic.theta.to(torch.float64, copy=True)
    if np.isfinite(targets).all() and np.isfinite(observation).all():
        fit(critic, observation, targets, epochs, minibatch, rate, generator)
    residual = targets - critic.values(observation)
    return CriticFit(
        explained_variance_after=explained_variance(targets, residual),
        value_loss_after=float(np.mean(residual**2)),
        value_parameter_delta_norm=float((critic.theta.double() - before).norm()),
    )


def fit(
    critic: Critic,
    observation: NDArray[np.float32],
    targets: Array,
    epochs: int,
    minibatch: int,
    rate: float,
    generator: np.random.Generator,
) -> None:
    """`epochs` passes of Adam over shuffled minibatches."""
    critic.adopt(targets)
    x, y = critic.matrices(observation, targets)
    for _ in range(epochs):
        order = generator.permutation(len(x))
        shuffled, wanted = _rows(x, order), _rows(y, order)
        for start in range(0, len(x), minibatch):
            part = slice(start, start + minibatch)
            critic.descend(shuffled[part], wanted[part], rate)


def _rows(matrix: Matrix, order: NDArray[np.int64]) -> Matrix:
    if isinstance(matrix, np.ndarray):
        return matrix[order]
    return matrix[torch.from_numpy(order).to(matrix.device)]


def explained_variance(targets: Array, residual: Array) -> float | None:
    """1 − Var(residual)/Var(targets); None when the targets do not vary beyond rounding."""
    spread = float(targets.std())
    if spread <= 32 * float(np.finfo(np.float32).eps) * float(np.max(np.abs(targets))):
        return None
    return 1.0 - float(residual.var()) / spread**2
