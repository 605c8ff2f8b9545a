"""Tasks with honest but rare rewards, for the healthy side of the fault bench.

Importing registers them; `--env sparse_tasks:SparsePendulum-v0` does that with this folder on
PYTHONPATH.
"""

from typing import Any

import gymnasium as gym
import numpy as np


class PaidNearTheTop(gym.Wrapper[Any, Any, Any, Any]):
    """Pendulum that pays 1 a step within `width` radians of upright, and 0 elsewhere."""

    def __init__(self, env: gym.Env[Any, Any], width: float = 0.15) -> None:
        super().__init__(env)
        self.width = width

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step; the reward is 1 near the top, else 0."""
        obs, _, terminated, truncated, info = self.env.step(action)
        angle = float(np.arctan2(obs[1], obs[0]))
        return obs, float(abs(angle) < self.width), terminated, truncated, info


def sparse_pendulum(**arguments: Any) -> gym.Env[Any, Any]:
    """Pendulum-v1's physics with the sparse reward."""
    return PaidNearTheTop(gym.make("Pendulum-v1").unwrapped, **arguments)


gym.register("SparsePendulum-v0", entry_point=sparse_pendulum, max_episode_steps=200)
gym.register(
    "EndlessPendulum-v0",
    entry_point="gymnasium.envs.classic_control.pendulum:PendulumEnv",
    max_episode_steps=None,
)
