"""Does the gradient point the same way in two halves of the batch? Its cosine, and chance's."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PERMUTATIONS = 8
"""Shuffles of the advantages that show what the cosine is by chance."""


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


def cosine_columns(
    first: Callable[[Tensor], Tensor],
    second: Callable[[Tensor], Tensor],
    advantage: Tensor,
    generator: np.random.Generator,
) -> dict[str, float | None]:
    """Cosine between the halves' gradients, and its mean and deviation over shuffled advantages.

    `first`, `second`: advantages of the whole batch → flat gradient of one half.
    """

    def cosine(advantage: Tensor) -> float | None:
        a, b = first(advantage), second(advantage)
        norms = float(a.norm() * b.norm())
        return float(a.dot(b)) / norms if norms > 0 else None

    shuffled = [
        cosine(advantage[torch.from_numpy(generator.permutation(len(advantage)))])
        for _ in range(PERMUTATIONS)
    ]
    null = [value for value in shuffled if value is not None]
    return {
        "gradient_cosine": cosine(advantage),
        "gradient_cosine_null_mean": float(np.mean(null)) if null else None,
        "gradient_cosine_null_std": float(np.std(null)) if null else None,
    }
