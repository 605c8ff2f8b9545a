"""Policies and critics of the user's own, alone and with a trunk they share."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agent import Training, TRPOAgent, gaussian
from agent.config import Config
from agent.critics import ModuleCritic
from agent.envs.gym import make_batch
from agent.faulty_world import paying
from agent.value import CriticFit, fit_critic
from runlog.errors import UserError

SMALL = Config(
    env="Pendulum-v1",
    iterations=4,
    steps_per_iteration=256,
    environments=4,
    warm_up_steps=64,
    vf_iters=3,
    vf_lr=1e-2,
    normalise_observations=False,
    normalise_rewards=True,
)


class Both(nn.Module):
    """Policy and value from one trunk; the value's head lies in the same module."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.LayerNorm(16))
        self.mean = nn.Linear(16, 1)
        self.log_std = nn.Parameter(torch.zeros(1))
        self.value = nn.Linear(16, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(self.trunk(observation)), self.log_std


class Value(nn.Module):
    """The critic of a `Both`, as a module of its own."""

    def __init__(self, both: Both) -> None:
        super().__init__()
        self.trunk, self.head = both.trunk, both.value

    def forward(self, observation: Tensor) -> Tensor:
        value: Tensor = self.head(self.trunk(observation))
        return value


def _shared(config: Config = SMALL) -> Training:
    torch.manual_seed(0)
    both = Both()
    return Training(
        make_batch(config.env, config.environments, {}), both, config, critic=Value(both)
    )


def test_shared_trunk_trains_and_its_log_tells_what_the_critics_fit_did_to_the_policy() -> None:
    training = _shared()
    moments: list[tuple[Tensor, Any]] = []

    def watched(critic: Any, observation: Any, *rest: Any) -> CriticFit:
        moments.append((training.policy.theta(), observation.reshape(-1, 3)))
        return fit_critic(critic, observation, *rest)

    training.parts = replace(training.parts, fit_critic=watched)
    before = training.policy.theta()
    for row in training:
        after_search, observation = moments[-1]
        now = training.policy.theta()
        assert row["update_outcome"] == "accepted"
        moved = float((after_search.double() - before.double()).norm())
        assert row["step_parameter_delta_norm"] == pytest.approx(moved)
        assert row["parameter_delta_norm"] == pytest.approx(
            float((now.double() - before.double()).norm())
        )
        assert row["parameter_delta_norm"] != pytest.approx(moved, rel=1e-2)
        seen = torch.from_numpy(np.ascontiguousarray(observation))
        accepted, next_ = (training.policy.exactly(t, seen) for t in (after_search, now))
        drift = float(gaussian.kl(accepted, next_).mean())
        assert row["kl_drift"] == pytest.approx(drift, rel=1e-3)
        assert row["kl_drift"] > 1e-6
        assert row["kl"] <= row["max_kl"]
        assert row["value_parameter_delta_norm"] > 0
        before = now


def test_what_only_the_critic_uses_is_no_parameter_of_the_policy() -> None:
    training = _shared()
    assert "trunk.0.weight" in training.policy.names
    assert not [name for name in training.policy.names if name.startswith("value")]
    assert None not in next(training)["gradient_norms"]


def test_layer_that_nobody_uses_stays_in_the_log_as_outside_the_graph() -> None:
    class Idle(Both):
        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Linear(2, 2)

    torch.manual_seed(0)
    both = Idle()
    batch = make_batch(SMALL.env, SMALL.environments, {})
    row = next(training := Training(batch, both, SMALL, critic=Value(both)))
    missing = [
        name
        for name, norm in zip(training.policy.names, row["gradient_norms"], strict=True)
        if norm is None
    ]
    assert missing == ["idle.weight", "idle.bias"]


def test_separate_critic_leaves_the_policy_where_the_search_put_it() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    batch = make_batch(SMALL.env, SMALL.environments, {})
    for row in Training(batch, Both(), SMALL, critic=critic):
        assert row["update_outcome"] == "accepted"
        assert row["kl_drift"] == 0.0
        assert row["parameter_delta_norm"] == row["step_parameter_delta_norm"]
        assert row["value_loss_after"] < row["value_loss"]


def test_training_with_a_critic_of_ones_own_continues_from_its_snapshot() -> None:
    one, other = _shared(), _shared()
    for _ in range(2):
        next(one)
    other.restore(one.snapshot())
    assert torch.equal(one.policy.theta(), other.policy.theta())
    one.restore(one.snapshot())
    for _ in range(2):
        first, second = next(one), next(other)
        assert first["value_loss_after"] == second["value_loss_after"]
        assert first["policy_parameter_norm"] == second["policy_parameter_norm"]


def test_policy_with_dropout_is_one_policy_when_it_acts_and_when_it_is_judged() -> None:
    both = Both()
    both.trunk.append(nn.Dropout(0.5))
    both.trunk.append(nn.BatchNorm1d(16))
    batch = make_batch(SMALL.env, SMALL.environments, {})
    row = next(Training(batch, both, SMALL, critic=Value(both)))
    assert row["ratio_before_std"] < 1e-5
    assert row["update_outcome"] == "accepted"


def test_critic_follows_rewards_that_are_rescaled() -> None:
    critic = ModuleCritic(nn.Linear(3, 1))
    observation = np.ones((5, 3), dtype=np.float32)
    before = critic.values(observation)
    critic.rescale(0.5)
    assert critic.values(observation) == pytest.approx(0.5 * before)
    _, targets = critic.matrices(observation, 0.5 * before)
    assert targets[:, 0].tolist() == pytest.approx(before.tolist())


def test_critic_of_ones_own_learns_in_units_of_the_normalised_reward() -> None:
    training = _shared()
    training.batch = paying(training.batch, lambda step: 1e4 * step.reward)
    row = next(training)
    assert row["reward_scale"] > 1e4
    observation = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    assert isinstance(training.critic, ModuleCritic)
    with torch.no_grad():
        given = training.critic.module(torch.from_numpy(observation)).numpy().ravel()
    in_force = training.critic.values(observation) / given
    assert 0.1 < in_force.min() <= in_force.max() < 10


def test_snapshot_with_another_kind_of_critic_is_one_clear_line() -> None:
    one = _shared()
    other = Training(one.batch, one.policy.module, SMALL)
    for here, there in ((one, other), (other, one)):
        with pytest.raises(UserError, match="the checkpoint holds another network"):
            here.restore(there.snapshot())


def test_critic_of_another_shape_or_without_parameters_is_one_clear_line() -> None:
    with pytest.raises(UserError, match=r"gave \(256, 2\).*must give \(256,\) or \(256, 1\)"):
        next(TRPOAgent("Pendulum-v1", Both(), steps_per_iteration=256, critic=nn.Linear(3, 2)))
    with pytest.raises(UserError, match="critic has no parameter"):
        TRPOAgent("Pendulum-v1", Both(), critic=nn.Identity())
