"""The agent learns: the reward rises beyond chance on every one of three named seeds."""

import numpy as np
import pytest

from agent.config import Config
from agent.training import Training


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_halfcheetah_learns_within_sixty_iterations(seed: int) -> None:
    config = Config(env="HalfCheetah-v5", iterations=60, seed=seed)
    reward = np.array([row["reward_mean"] for row in Training.from_config(config)])
    first, last = reward[:10], reward[-10:]
    error = np.sqrt(first.var(ddof=1) / 10 + last.var(ddof=1) / 10)
    assert last.mean() - first.mean() > 2 * error


def test_pendulum_on_a_cart_is_learnt_in_a_few_iterations() -> None:
    config = Config(env="InvertedPendulum-v5", iterations=10, seed=0, steps_per_iteration=1024)
    returns = [row["episode_return_mean"] for row in Training.from_config(config)]
    assert returns[-1] > 3 * returns[0]
