"""The returns of a run's last checkpoint: deterministic actions, frozen normaliser.

python benchmarks/evaluation.py RUN [EPISODES]
"""

import sys
from pathlib import Path

import gymnasium
import numpy as np

from agent import checkpoint
from agent.config import config_of
from agent.sampling import normalised
from agent.training import Training
from runlog import open_run

EPISODES, FIRST_EPISODE = 20, 1_000_000
"""Episodes of the evaluation and the seed of the first one, the same for every agent."""


def evaluate(run: Path, episodes: int = EPISODES) -> list[float]:
    """Undiscounted returns, in rewards of the environment, of the mean action in each state."""
    stored = open_run(run).metadata
    config = config_of(stored["config"] | {"environments": 1, "fault": ()}, str(run))
    training = Training.from_config(config)
    snapshot, _ = checkpoint.latest(run)
    training.restore(snapshot | {"environments": None})
    act, facts = training.policy.actor(), training.batch.facts
    world = gymnasium.make(config.env, **config.env_args)
    returns = []
    for episode in range(episodes):
        observation, _ = world.reset(seed=FIRST_EPISODE + episode)
        total, over = 0.0, False
        while not over:
            seen = normalised(np.asarray(observation, dtype=np.float64)[None], training.normaliser)
            action = np.clip(act(seen)[0][0], facts.action_low, facts.action_high)
            observation, reward, terminated, truncated, _ = world.step(action)
            total += float(reward)
            over = terminated or truncated
        returns.append(round(total, 3))
    return returns


if __name__ == "__main__":
    found = evaluate(Path(sys.argv[1]), *map(int, sys.argv[2:]))
    print(found)
    print(f"{np.mean(found):.1f} ± {np.std(found):.1f}")
