"""The plain trainer's networks."""

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

Gaussian = Independent[Normal]


class Policy(nn.Module):
    """A Gaussian whose mean a tanh network gives, with one σ for all states."""

    def __init__(self, inputs: int, actions: int, hidden: tuple[int, ...], log_std: float) -> None:
        super().__init__()
        self.body, width = tanh_layers(inputs, hidden)
        self.head = nn.Linear(width, actions)
        self.log_std = nn.Parameter(torch.full((actions,), log_std))
        with torch.no_grad():
            self.head.weight.mul_(0.01)
            self.head.bias.zero_()

    def forward(self, observations: Tensor) -> Gaussian:
        """The actions' distribution; observations (batch, inputs)."""
        mean = self.mean(observations)
        normal = Normal(mean, self.log_std.exp().expand_as(mean), validate_args=False)
        return Independent(normal, 1, validate_args=False)

    def mean(self, observations: Tensor) -> Tensor:
        """The mean actions (batch, actions)."""
        mean: Tensor = self.head(self.body(observations))
        return mean


def tanh_layers(inputs: int, hidden: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Layers of that many units each, and the width of the last."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.Tanh()]
        inputs = width
    return nn.Sequential(*layers), inputs
