"""Running deviation of discounted returns: what rewards are divided by while a batch is learnt from.

The rule is that of OpenAI Baselines' VecNormalize (Dhariwal et al. 2017), whose effect Engstrom et al.
(2020, arXiv 2005.12729) and Andrychowicz et al. (2021, arXiv 2006.05990) measured: rewards keep their
sign and their zero, and value targets stay around 1 whatever the environment pays.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agent.envs.batch import Array

CLIP = 10.0
"""Training rewards are held to ±10 standard deviations of the discounted return."""
LARGEST = 1e200
"""A reward beyond this counts as this: the return must stay a number that can fall again."""
ROUNDING = 32
"""Returns spread by at most this many units in the last place of their mean do not vary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReward:
    """The reward as the advantages see it: (T, E), the divisor, and the share that was clipped."""

    values: Array
    scale: float = 1.0
    clip_fraction: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardNormaliser:
    """Moments of `count` discounted returns R_t = r_t + γ·R_{t−1}, R = 0 where an episode begins.

    `carry` (worlds,): γ·R of the episode that goes on in each world, 0 where none does.
    """

    count: float
    mean: float
    variance: float
    carry: Array

    @property
    def scale(self) -> float:
        """Standard deviation of the returns, in units of the reward; 1 until they have varied."""
        deviation = self.variance**0.5
        eps = float(np.finfo(np.float64).eps)
        return deviation if deviation > ROUNDING * eps * abs(self.mean) else 1.0

    def __call__(self, reward: Array) -> TrainingReward:
        """Rewards (T, E) of the environment in units of the scale, clipped. NaN stays NaN."""
        scaled = reward / self.scale
        return TrainingReward(
            values=np.clip(scaled, -CLIP, CLIP),
            scale=self.scale,
            clip_fraction=np.count_nonzero(np.abs(scaled) > CLIP) / max(1, reward.size),
        )

    def updated(self, reward: Array, ended: NDArray[np.bool_], gamma: float) -> "RewardNormaliser":
        """With a batch's rewards (T, E) and episode ends. Rewards that are not finite count as none;
        a batch whose variance is too large for float64 moves nothing but the carry."""
        known = np.isfinite(reward)
        paid = np.clip(np.where(known, reward, 0.0), -LARGEST, LARGEST)
        returns, kept, carry = np.empty_like(paid), np.where(ended, 0.0, gamma), self.carry.copy()
        for now, sofar, share in zip(paid, returns, kept, strict=True):
            np.add(carry, now, out=sofar)
            np.multiply(sofar, share, out=carry)
        moved = replace(self, carry=carry)
        seen = returns[known]
        if not len(seen):
            return moved
        with np.errstate(over="ignore", invalid="ignore"):
            n, mean, variance = float(len(seen)), float(seen.mean()), float(seen.var())
        total = self.count + n
        move = mean - self.mean
        between = move * move * self.count * n / total
        variance = (self.count * self.variance + n * variance + between) / total
        if not math.isfinite(variance):
            return moved
        return replace(moved, count=total, mean=self.mean + move * n / total, variance=variance)

    def begun(self, worlds: int) -> "RewardNormaliser":
        """The same moments, every world at the beginning of an episode."""
        return replace(self, carry=np.zeros(worlds))

    def snapshot(self) -> dict[str, Any]:
        """Numbers and a tensor, as a checkpoint holds them."""
        return {
            "count": self.count,
            "mean": self.mean,
            "variance": self.variance,
            "carry": torch.from_numpy(self.carry.copy()),
        }


def empty(worlds: int) -> RewardNormaliser:
    """Before the first reward: nothing has varied, the scale is 1."""
    return RewardNormaliser(count=0.0, mean=0.0, variance=0.0, carry=np.zeros(worlds))


def restored(snapshot: dict[str, Any]) -> RewardNormaliser:
    """The normaliser a snapshot was taken of."""
    return RewardNormaliser(
        count=float(snapshot["count"]),
        mean=float(snapshot["mean"]),
        variance=float(snapshot["variance"]),
        carry=snapshot["carry"].numpy().copy(),
    )
