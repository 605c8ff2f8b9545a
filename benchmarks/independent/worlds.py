"""Environments whose rewards, observations and ends of episodes can be spoilt in mid-run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np


class World(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that hands on rewards and observations through two functions of its own."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.paid: Callable[[float], float] = float
        self.seen: Callable[[Any], Any] = np.asarray
        self.ends_after: int | None = None
        self._age = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._age = 0
        observation, info = self.env.reset(seed=seed, options=options)
        return self.seen(observation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._age += 1
        if self.ends_after is not None and self._age >= self.ends_after:
            terminated = True
        return self.seen(observation), self.paid(float(reward)), terminated, truncated, info


def _paying(reward: Callable[[float], float]) -> Callable[[Sequence[World]], None]:
    def spoil(worlds: Sequence[World]) -> None:
        for world in worlds:
            world.paid = reward

    return spoil


def _seeing(observation: Callable[[Any], Any]) -> Callable[[Sequence[World]], None]:
    def spoil(worlds: Sequence[World]) -> None:
        for world in worlds:
            world.seen = observation

    return spoil


def nan_reward(worlds: Sequence[World]) -> None:
    """One world divides 0 by 0 in its reward."""
    worlds[0].paid = lambda _: float("nan")


def noise_instead_of_reward(worlds: Sequence[World]) -> None:
    """ "Noise to break ties", tens of times as large as the reward."""
    noise = np.random.default_rng(len(worlds))
    _paying(lambda reward: reward + 50.0 * float(noise.standard_normal()))(worlds)


def instant_termination(worlds: Sequence[World]) -> None:
    """The check for a fall is wrong, and every episode ends at its second step."""
    for world in worlds:
        world.ends_after = 2


def half_unplugged(observation: Any) -> Any:
    """The first half of the sensors reads 0."""
    seen = np.array(observation)
    seen[: len(seen) // 2] = 0.0
    return seen


SPOILT: Mapping[str, Callable[[Sequence[World]], None]] = {
    "constant-reward": _paying(lambda _: 1.0),
    "vanished-reward": _paying(lambda reward: 1e-7 * reward),
    "oversized-reward": _paying(lambda reward: 1e6 * reward),
    "reward-noise": noise_instead_of_reward,
    "nan-reward": nan_reward,
    "instant-termination": instant_termination,
    "observation-blow-up": _seeing(lambda observation: 1e3 * np.asarray(observation)),
    "dead-observation": _seeing(half_unplugged),
}
"""Faults of the environment alone, by name. A normaliser or the seeds are the trainer's."""
