"""A small regression, to tell whether one thing can be told from another at all."""

import numpy as np
from numpy.typing import NDArray

RIDGE = 1e-3
"""Penalty on standardised features, per step."""
LARGEST = 128
"""With more inputs than this the regression is not worth its cost."""

Floats = NDArray[np.float64]


def held_out_r2(inputs: Floats, target: Floats, test: NDArray[np.bool_]) -> float | None:
    """R² on the steps of `test` of a regression fitted on the others; (N, d), (N,), (N,).

    Features: the inputs and their squares. None where the target is constant or not finite, or
    where there are too many features for the steps.
    """
    if inputs.shape[1] > LARGEST or not (np.isfinite(inputs).all() and np.isfinite(target).all()):
        return None
    features = np.concatenate([inputs, inputs**2], axis=1)
    x, y, x_test, y_test = features[~test], target[~test], features[test], target[test]
    if len(y) <= features.shape[1] or not len(y_test):
        return None
    rounding = 32 * np.finfo(np.float64).eps * float(np.max(np.abs(target)))
    if y.std() <= rounding or y_test.std() <= rounding:
        return None
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    x, x_test = (x - mean) / scale, (x_test - mean) / scale
    gram = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (y - y.mean()))
    residual = y_test - y.mean() - x_test @ weights
    return 1.0 - float(np.mean(residual**2) / y_test.var())


def halves(ended: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Split (T, worlds) steps into two halves that share no trajectory: True for the second.

    Every other world; with one world, every other episode; with one episode, its second half.
    """
    steps, worlds = ended.shape
    if worlds > 1:
        return np.broadcast_to(np.arange(worlds) % 2 == 1, ended.shape).copy()
    episode = np.concatenate(([0], np.cumsum(ended[:-1, 0])))
    if episode[-1] == 0:
        episode = np.arange(steps) * 2 // max(1, steps)
    second: NDArray[np.bool_] = (episode % 2 == 1)[:, None]
    return second
