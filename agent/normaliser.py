"""Running mean and deviation of observations: frozen while a batch is sampled and learnt from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLIP = 10.0
"""Normalised observations are held to ±10 standard deviations."""
EPSILON = 1e-8
"""Added to the variance, so that a dimension that never moves maps to 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normaliser:
    """Moments of `count` observations. `mean`, `variance`: (observation_dim,) float64."""

    count: float
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]

    @property
    def factor(self) -> NDArray[np.float64]:
        """1/σ: (observation_dim,)."""
        return 1.0 / np.sqrt(self.variance + EPSILON)

    def updated(self, observations: NDArray[np.float64]) -> "Normaliser":
        """With (N, observation_dim) more observations; rows that are not finite are left out."""
        rows = observations[np.isfinite(observations).all(axis=-1)]
        if not len(rows):
            return self
        n, mean, variance = float(len(rows)), rows.mean(axis=0), rows.var(axis=0)
        total = self.count + n
        move = mean - self.mean
        between = move**2 * self.count * n / total
        return Normaliser(
            count=total,
            mean=self.mean + move * n / total,
            variance=(self.count * self.variance + n * variance + between) / total,
        )

    def shift_from(self, old: "Normaliser") -> float:
        """Largest move of the mean since `old`, in `old`'s standard deviations."""
        return float(np.max(np.abs(self.mean - old.mean) / np.sqrt(old.variance + EPSILON)))


def empty(observation_dim: int) -> Normaliser:
    """Before the first observation: mean 0, variance 1."""
    return Normaliser(count=0.0, mean=np.zeros(observation_dim), variance=np.ones(observation_dim))
