"""Can the reward be told from observation and action? A held-out ridge regression."""

import numpy as np

from agent.gradient_noise import halves
from agent.sampling import Rollout

RIDGE = 1e-3
"""Penalty on standardised features, per step."""
LARGEST = 128
"""With more observation and action dimensions than this the regression is not worth its cost."""


def held_out_r2(rollout: Rollout) -> float | None:
    """R² on one half of the trajectories of a regression fitted on the other.

    Features: observation, action and their squares. None when the reward is constant or not
    finite, or when there are too many features for half a batch.
    """
    worlds = np.concatenate([rollout.observation, rollout.action], axis=-1).astype(np.float64)
    inputs = worlds.reshape(-1, worlds.shape[-1])
    reward = rollout.reward.reshape(-1)
    if inputs.shape[1] > LARGEST or not (np.isfinite(inputs).all() and np.isfinite(reward).all()):
        return None
    features = np.concatenate([inputs, inputs**2], axis=1)
    test = halves(rollout.ended).reshape(-1)
    x, y, x_test, y_test = features[~test], reward[~test], features[test], reward[test]
    if len(y) <= features.shape[1] or not len(y_test):
        return None
    rounding = 32 * np.finfo(np.float64).eps * float(np.max(np.abs(reward)))
    if y.std() <= rounding or y_test.std() <= rounding:
        return None
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    x, x_test = (x - mean) / scale, (x_test - mean) / scale
    gram = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (y - y.mean()))
    residual = y_test - y.mean() - x_test @ weights
    return 1.0 - float(np.mean(residual**2) / y_test.var())
