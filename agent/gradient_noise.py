"""Does the gradient point the same way in two halves of the batch? Its cosine, and chance's."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

PERMUTATIONS = 3
"""Shuffles of the advantages. Each half's gradients are compared with each of the other's: nine
cosines that show what there is by chance, for the price of three."""


def cosine_columns(
    gradient: Callable[[Tensor], Tensor],
    g: Tensor,
    advantage: Tensor,
    second: Tensor,
    generator: np.random.Generator,
) -> dict[str, float | None]:
    """Cosine between the halves' gradients, and its mean and deviation over shuffled advantages.

    `gradient`: advantages of the batch → flat gradient, linear in them, so that advantages put to 0
    leave a half out. `g`: that of `advantage`. `second` (N,): which steps are the second half.
    """
    if bool(second.all()) or not bool(second.any()):
        return {}
    shuffled = [
        advantage[torch.from_numpy(generator.permutation(len(advantage))).to(advantage.device)]
        for _ in range(PERMUTATIONS)
    ]
    ones = [gradient(each * ~second) for each in shuffled]
    others = [gradient(each * second) for each in shuffled]
    null = [value for one in ones for other in others if (value := _cosine(one, other)) is not None]
    half = gradient(advantage * second)
    return {
        "gradient_cosine": _cosine(g - half, half),
        "gradient_cosine_null_mean": float(np.mean(null)) if null else None,
        "gradient_cosine_null_std": float(np.std(null)) if null else None,
    }


def _cosine(a: Tensor, b: Tensor) -> float | None:
    norms = float(a.norm() * b.norm())
    return float(a.dot(b)) / norms if norms > 0 else None
