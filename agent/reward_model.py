"""Can the reward be told from what the policy sees and does? A regression says how much of it."""

import numpy as np

from agent.sampling import Rollout
from runlog import regression
from runlog.regression import halves


def held_out_r2(rollout: Rollout) -> float | None:
    """R² on one half of the trajectories of a regression of the reward on observation and action
    fitted on the other half; None where it says nothing (runlog.regression)."""
    worlds = np.concatenate([rollout.observation, rollout.action], axis=-1).astype(np.float64)
    return regression.held_out_r2(
        worlds.reshape(-1, worlds.shape[-1]),
        rollout.reward.reshape(-1),
        halves(rollout.ended).reshape(-1),
    )
