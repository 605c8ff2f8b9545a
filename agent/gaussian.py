"""Diagonal Gaussians over actions: log-probability, KL divergence, entropy."""

import math
from dataclasses import dataclass

from torch import Tensor

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian:
    """N independent diagonal Gaussians. `mean`: (N, action_dim). `log_std`: the same, or
    (1, action_dim) where all have one."""

    mean: Tensor
    log_std: Tensor

    def detach(self) -> "Gaussian":
        return Gaussian(mean=self.mean.detach(), log_std=self.log_std.detach())


def log_prob(policy: Gaussian, action: Tensor) -> Tensor:
    """Log-density of the actions, nat, summed over action dimensions: (N,)."""
    z = (action - policy.mean) * (-policy.log_std).exp()
    return -(0.5 * z * z + policy.log_std + HALF_LOG_2_PI).sum(-1)


def kl(old: Gaussian, new: Gaussian) -> Tensor:
    """KL(old‖new), nat, summed over action dimensions: (N,).

    Written with expm1 so that equal distributions give exactly 0 and close ones no cancellation.
    """
    d = old.log_std - new.log_std
    z = (old.mean - new.mean) * (-new.log_std).exp()
    return 0.5 * ((2 * d).expm1() - 2 * d + z * z).sum(-1)


def entropy(policy: Gaussian) -> Tensor:
    """Differential entropy, nat, summed over action dimensions: (N,), or (1,) if all are equal."""
    return (policy.log_std + 0.5 + HALF_LOG_2_PI).sum(-1)
