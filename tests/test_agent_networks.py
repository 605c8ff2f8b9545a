"""The policy in closed form against its own module."""

import numpy as np
import pytest
import torch

from agent.networks import GaussianMLP, Policy


@pytest.mark.parametrize("hidden", [(), (7,), (8, 6, 5)])
@pytest.mark.parametrize("double", [False, True])
def test_actor_is_the_module_and_keeps_its_parameters(
    hidden: tuple[int, ...], double: bool
) -> None:
    torch.manual_seed(0)
    module = GaussianMLP(5, 3, hidden, -0.4)
    policy = Policy(module.double() if double else module)
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

    policy = Policy(Shifted(5, 3, (4,), 0.0))
    observation = np.zeros((2, 5), dtype=np.float32)
    mean, log_std = policy.actor()(observation)
    assert mean == pytest.approx(policy.act(torch.zeros(2, 5)).mean.numpy())
    assert log_std.shape == (2, 3)
