"""The returns of a run's last checkpoint: deterministic actions, frozen normaliser.

python benchmarks/evaluation.py RUN [EPISODES]
"""

import sys
from pathlib import Path

import beside  # noqa: F401
import gymnasium
import numpy as np

from agent.trained import trained

EPISODES, FIRST_EPISODE = 20, 1_000_000
"""Episodes of the evaluation and the seed of the first one, the same for every agent."""


def evaluate(run: Path, episodes: int = EPISODES) -> list[float]:
    """Undiscounted returns, in rewards of the environment, of the mean action in each state."""
    policy = trained(run)
    world = gymnasium.make(policy.config.env, **policy.config.env_args)
    returns = []
    for episode in range(episodes):
        observation, _ = world.reset(seed=FIRST_EPISODE + episode)
        total, over = 0.0, False
        while not over:
            action = policy.act(observation)
            observation, reward, terminated, truncated, _ = world.step(action)
            total += float(reward)
            over = terminated or truncated
        returns.append(round(total, 3))
    return returns


if __name__ == "__main__":
    found = evaluate(Path(sys.argv[1]), *map(int, sys.argv[2:]))
    print(found)
    print(f"{np.mean(found):.1f} ± {np.std(found):.1f}")
