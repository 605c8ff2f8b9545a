"""What the plain trainer samples: observations on a common scale, one batch, its advantages."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


class RunningScale:
    """Mean and deviation of all observations so far; used frozen while a batch is sampled."""

    def __init__(self, size: int) -> None:
        self.count, self.mean, self.variance = 1e-4, np.zeros(size), np.ones(size)
        self.clip = 10.0

    def __call__(self, observations: Array) -> Array:
        scaled = (observations - self.mean) / np.sqrt(self.variance + 1e-8)
        return np.clip(scaled, -self.clip, self.clip).astype(np.float32)

    def learn(self, observations: Array) -> None:
        """Take in (batch, size) more observations."""
        count, mean, variance = len(observations), observations.mean(0), observations.var(0)
        total, shift = self.count + count, mean - self.mean
        spread = self.variance * self.count + variance * count
        self.variance = (spread + shift**2 * self.count * count / total) / total
        self.mean, self.count = self.mean + shift * count / total, total


@dataclass
class Batch:
    """Everything of one iteration's sampling; arrays are (steps, environments, …)."""

    raw: Array
    following: Array  # what came next, before any reset
    actions: Array
    rewards: Array
    terminated: Array
    truncated: Array
    _: KW_ONLY
    returns: list[float]
    lengths: list[int]
    observations: Tensor = field(default_factory=lambda: torch.empty(0))
    values: Array = field(default_factory=lambda: np.empty(0))
    next_values: Array = field(default_factory=lambda: np.empty(0))
    advantages: Array = field(default_factory=lambda: np.empty(0))
    targets: Array = field(default_factory=lambda: np.empty(0))


def gae(batch: Batch, gamma: float, lam: float) -> Array:
    """Advantages (steps, environments): terminal states are worth 0, a cut one is bootstrapped."""
    advantages, carry = np.zeros_like(batch.rewards), np.zeros(batch.rewards.shape[1])
    for t in reversed(range(len(batch.rewards))):
        worth = batch.next_values[t] * ~batch.terminated[t]
        delta = batch.rewards[t] + gamma * worth - batch.values[t]
        goes_on = ~(batch.terminated[t] | batch.truncated[t])
        carry = delta + gamma * lam * goes_on * carry
        advantages[t] = carry
    return advantages
