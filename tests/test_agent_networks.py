"""The policy in closed form against its own module."""

import numpy as np
import pytest
import torch
from torch import nn

from agent import gaussian
from agent.gaussian import Gaussian
from agent.networks import GaussianMLP, Policy
from runlog.errors import UserError


@pytest.mark.parametrize("hidden", [(), (7,), (8, 6, 5)])
@pytest.mark.parametrize("double", [False, True])
def test_actor_is_the_module_and_keeps_its_parameters(
    hidden: tuple[int, ...], double: bool
) -> None:
    torch.manual_seed(0)
    module = GaussianMLP(5, 3, hidden, -0.4)
    policy = Policy(module.double() if double else module, 3)
    observation = np.random.default_rng(0).normal(size=(16, 5)).astype(np.float32)
    expected = policy.act(torch.from_numpy(observation).to(policy.dtype))
    act = policy.actor()
    policy.load(2 * policy.theta())
    mean, log_std = act(observation)
    assert mean.dtype == log_std.dtype == np.float32
    assert mean == pytest.approx(expected.mean.numpy(), abs=1e-6)
    assert np.array_equal(log_std, np.full((16, 3), np.float32(-0.4)))


def test_actor_of_another_module_asks_the_module() -> None:
    class Shifted(GaussianMLP):
        def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            mean, log_std = super().forward(observation)
            return mean + 1, log_std

    policy = Policy(Shifted(5, 3, (4,), 0.0), 3)
    observation = np.zeros((2, 5), dtype=np.float32)
    mean, log_std = policy.actor()(observation)
    assert mean == pytest.approx(policy.act(torch.zeros(2, 5)).mean.numpy())
    assert log_std.shape == (2, 3)


class Given(nn.Module):
    """A policy that gives its parameters, in whatever shape they have."""

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.given = nn.ParameterList(torch.full(shape, 0.3) for shape in shapes)

    def forward(self, _observation: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.given)


@pytest.mark.parametrize("shapes", [((4, 1), ()), ((3,), (4, 3)), ((1, 3), (1, 1))])
def test_mean_and_log_std_count_in_every_action_they_are_broadcast_to(
    shapes: tuple[tuple[int, ...], ...],
) -> None:
    policy = Policy(Given(*shapes), 3)
    old = policy.exactly(policy.theta(), torch.zeros(4, 5))
    new = policy.exactly(policy.theta() + 0.1, torch.zeros(4, 5))
    whole = [
        Gaussian(mean=torch.full((4, 3), value), log_std=torch.full((4, 3), value))
        for value in (0.3, 0.4)
    ]
    assert gaussian.kl(old, new).tolist() == pytest.approx(gaussian.kl(*whole).tolist(), rel=1e-5)
    entropy = gaussian.entropy(old).tolist()
    assert entropy == pytest.approx(gaussian.entropy(whole[0]).tolist(), rel=1e-5)


def test_single_action_may_come_without_its_dimension() -> None:
    pi = Policy(Given((4,), (4,)), 1).act(torch.zeros(4, 5))
    assert pi.mean.shape == pi.log_std.shape == (4, 1)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (((4, 2), ()), r"a mean of shape \(4, 2\) for 4 .* broadcastable to \(4, 3\)"),
        (((4, 3), (4,)), r"a log σ of shape \(4,\) for 4 observations"),
        (((4, 3),), "the policy gave a tuple: it must give mean and log σ"),
    ],
)
def test_policy_of_another_shape_is_one_clear_line(
    shapes: tuple[tuple[int, ...], ...], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        Policy(Given(*shapes), 3).act(torch.zeros(4, 5))
