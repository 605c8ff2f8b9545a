"""Training as its user meets it: reproducible, restorable, unmoved by bad environments."""

import math
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from torch import nn

from agent import Training, TRPOAgent
from agent.config import Config
from agent.envs.gym import batch_of, make_batch
from agent.faulty_world import paying
from agent.networks import GaussianMLP
from agent.sampling import Interrupted
from agent.trust_region import FRACTIONS, Search
from runlog.errors import UserError
from runlog.schema import BY_NAME

SMALL = {"steps_per_iteration": 128, "environments": 4, "warm_up_steps": 32, "vf_iters": 2}


class Walk(gymnasium.Env[NDArray[np.float64], NDArray[np.float64]]):
    """A point on the line that is paid for standing near 0. Episodes end as asked."""

    action_space = Box(-np.inf, np.inf, (2,), np.float32)
    observation_space = Box(-np.inf, np.inf, (3,), np.float64)

    def __init__(self, *, terminate: int = 0, truncate: int = 0, raise_at: int = 0) -> None:
        self.terminate, self.truncate, self.raise_at = terminate, truncate, raise_at
        self.steps = self.age = 0

    def _see(self) -> NDArray[np.float64]:
        return np.array([self.place, self.age, 1.0])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.age = float(self.np_random.normal()), 0
        return self._see(), {}

    def step(
        self, action: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        self.steps += 1
        if self.steps == self.raise_at:
            raise FloatingPointError("the motor burnt out")
        self.age += 1
        self.place += 0.1 * float(action[0]) + 0.01 * float(self.np_random.normal())
        ends, cut = self.age == self.terminate, self.age == self.truncate
        return self._see(), -abs(self.place), ends, cut, {}


def _policy(observation_dim: int = 3, action_dim: int = 2) -> GaussianMLP:
    torch.manual_seed(0)
    return GaussianMLP(observation_dim, action_dim, (8,), 0.0)


def _walk(iterations: int = 3, **kwargs: int) -> Training:
    env = Walk(**kwargs)
    return TRPOAgent(env, _policy(), iterations=iterations, steps_per_iteration=64, vf_iters=2)


def _unclocked(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in BY_NAME or not BY_NAME[k].clocked}


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return repr(_unclocked(a)) == repr(_unclocked(b))  # repr, because NaN is not equal to itself


@pytest.mark.parametrize("env", ["HalfCheetah-v5", "InvertedPendulum-v5"])
def test_same_seed_gives_the_same_log_bit_for_bit(env: str) -> None:
    config = Config(env=env, iterations=3, seed=7, **SMALL)
    first, second = list(Training.from_config(config)), list(Training.from_config(config))
    assert all(_same(a, b) for a, b in zip(first, second, strict=True))
    other = next(Training.from_config(replace(config, seed=8)))
    assert other["reward_mean"] != first[0]["reward_mean"]


def test_rejected_step_restores_parameters_bit_for_bit() -> None:
    training = Training.from_config(Config(env="Pendulum-v1", iterations=2, **SMALL))
    next(training)
    before = training.policy.theta()

    def refuse(measure: Any, _max_kl: float) -> Search:
        gains, kls = zip(*(measure(fraction) for fraction in FRACTIONS), strict=True)
        return Search(fractions=FRACTIONS, gains=gains, kls=kls, fraction=None)

    training.parts = replace(training.parts, line_search=refuse)
    row = next(training)
    assert torch.equal(training.policy.theta(), before)
    assert row["update_outcome"] == "rejected"
    assert row["line_search_success"] is False
    assert row["improvement_ratio"] is None
    zero = ("kl", "step_fraction", "step_parameter_delta_norm", "parameter_delta_norm")
    assert [row[name] for name in (*zero, "log_ratio_std", "actual_improvement")] == [0.0] * 6
    assert row["ratio_mean"] == 1.0
    assert row["policy_loss"] == row["policy_loss_before"]
    assert row["entropy_after"] == row["entropy"]
    assert row["line_search_kls"][0] > 0


def test_truncation_and_termination_are_told_apart() -> None:
    row = next(_walk(terminate=10))
    assert (row["episodes_terminated"] > 0, row["episodes_truncated"]) == (True, 0)
    row = next(_walk(truncate=10))
    assert (row["episodes_terminated"], row["episodes_truncated"] > 0) == (0, True)
    assert row["episode_length_mean"] == 10
    row = next(_walk(truncate=10, terminate=10))
    assert (row["episodes_terminated"] > 0, row["episodes_truncated"]) == (True, 0)


def test_environment_that_never_ends_an_episode_trains_with_null_returns() -> None:
    for row in _walk():
        assert row["update_outcome"] == "accepted"
        assert row["episode_return_mean"] is None
        assert row["episode_returns"] == []
        assert row["reward_mean"] < 0


def test_actions_without_bounds_are_never_clipped() -> None:
    row = next(_walk())
    assert row["action_clip_fraction"] == row["action_mean_clip_fraction"] == 0.0


def test_dead_dimension_is_counted_and_harms_nothing() -> None:
    row = next(_walk())
    assert row["observation_dead_dimensions"] == 1
    assert row["update_outcome"] == "accepted"


def test_nan_reward_is_logged_and_destroys_neither_policy_nor_critic() -> None:
    training = _walk(iterations=4, truncate=8)
    next(training)
    policy, critic = training.policy.theta(), training.critic.theta.clone()
    sound = training.batch
    training.batch = paying(sound, lambda step: np.full_like(step.reward, np.nan))
    row = next(training)
    assert row["update_outcome"] == "skipped-non-finite"
    assert math.isnan(row["reward_mean"])
    assert math.isnan(row["advantage_raw_std"])
    assert row["line_search_success"] is None
    assert row["gradient_norm"] is None
    assert row["window_reward"] is not None
    assert torch.equal(training.policy.theta(), policy)
    assert torch.equal(training.critic.theta, critic)
    training.batch = sound
    assert next(training)["update_outcome"] == "accepted"


def test_environment_that_raises_says_which_one_it_was() -> None:
    training = _walk(raise_at=150)
    next(training)
    with pytest.raises(FloatingPointError, match="burnt out") as caught:
        next(training)
    notes = ["raised by environment 0 of 1", "in step 22 of 64 of the batch"]
    assert caught.value.__notes__ == notes


def test_update_is_skipped_at_rounding_level_of_the_advantages() -> None:
    training = _walk()
    training.batch = paying(training.batch, lambda step: np.zeros_like(step.reward))
    for row in training:
        assert row["update_outcome"] == "skipped-advantages"
        assert row["advantage_raw_std"] == row["gradient_norm"] == row["kl"] == 0.0
        assert row["step_direction_norm"] is row["line_search_steps"] is None


def test_tiny_rewards_are_learnt_from() -> None:
    training = _walk()
    training.batch = paying(training.batch, lambda step: 1e-9 * step.reward)
    assert [row["update_outcome"] for row in training] == ["accepted"] * 3


def test_snapshot_brings_the_same_parameters_normaliser_and_counters_back() -> None:
    training = _walk(iterations=6)
    for _ in range(2):
        next(training)
    snapshot = training.snapshot()
    continued = [next(training) for _ in range(2)]
    training.restore(snapshot)
    assert training.iteration == 2
    again = next(training)
    assert again["iteration"] == continued[0]["iteration"] == 3
    assert again["timesteps"] == continued[0]["timesteps"]
    assert again["policy_parameter_norm"] == continued[0]["policy_parameter_norm"]
    assert torch.equal(training.policy.theta(), training.policy.theta())


def test_resumed_iteration_equals_the_uninterrupted_one_where_episodes_start_with_it() -> None:
    """Worlds are reset at a resume; from equal worlds on, everything else is the same."""
    one, other = _walk(iterations=4), _walk(iterations=4)
    for _ in range(2):
        next(one)
    other.restore(one.snapshot())
    one.restore(one.snapshot())
    one.batch.reset(5)
    assert _same(next(one), next(other))


def test_own_policy_may_share_log_std_over_the_batch_or_give_it_by_state() -> None:
    class ByState(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Linear(3, 4)

        def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            mean, log_std = self.both(observation).chunk(2, -1)
            return mean, log_std.clamp(-3, 1)

    for row in TRPOAgent(Walk(), ByState(), iterations=2, steps_per_iteration=64):
        assert row["update_outcome"] == "accepted"
        assert row["log_std_max"] > row["log_std_min"]
        assert row["saturated_units_fraction"] is None
        assert row["ratio_before_std"] < 1e-3


def test_frozen_parameters_are_left_alone() -> None:
    policy = _policy()
    policy.log_std.requires_grad_(requires_grad=False)
    training = TRPOAgent(Walk(), policy, iterations=2, steps_per_iteration=64)
    rows = list(training)
    assert [row["update_outcome"] for row in rows] == ["accepted"] * 2
    assert rows[1]["log_std_mean"] == 0.0
    assert "log_std" not in training.metadata["parameter_names"]
    assert len(rows[0]["gradient_norms"]) == len(training.metadata["parameter_names"])


def test_double_precision_policy_is_trained_in_double_precision() -> None:
    training = TRPOAgent(Walk(), _policy().double(), iterations=1, steps_per_iteration=64)
    assert training.metadata["dtype"] == "float64"
    assert next(training)["update_outcome"] == "accepted"


@pytest.mark.parametrize(
    "space", [Dict({"a": Box(-1, 1, (2,)), "b": Discrete(3)}), Box(0, 1, (2, 2))]
)
def test_observations_of_other_shapes_are_flattened(space: gymnasium.Space[Any]) -> None:
    class Shaped(Walk):
        observation_space = space

        def _see(self) -> Any:
            return self.observation_space.sample()

    batch = batch_of(Shaped(truncate=5), 1)
    seen = batch.reset(0)
    assert seen.shape == (1, batch.facts.observation_dim)
    assert batch.facts.observation_dim == (5 if isinstance(space, Dict) else 4)


def test_no_phantom_step_enters_when_an_episode_ends() -> None:
    """A world is reset within the step that ends its episode: the next row is a true first step."""
    batch = make_batch("InvertedPendulum-v5", 3, {})
    batch.reset(0)
    ended = False
    for _ in range(60):
        step = batch.step(np.full((3, 1), 3.0, dtype=np.float32))
        for world, reached in step.final_observation.items():
            ended = True
            assert step.terminated[world]
            assert abs(reached[1]) > 0.2, "the angle at which the episode ends, rad"
            assert abs(step.observation[world][1]) <= 0.011, "the angle after a reset"
    assert ended


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
def test_vectorised_environments_give_the_batch_their_members_would(kind: Any) -> None:
    made = [lambda: Walk(terminate=4, truncate=7)] * 2
    if kind is AsyncVectorEnv:
        vector = kind(made, autoreset_mode=AutoresetMode.SAME_STEP, context="fork")
    else:
        vector = kind(made)
    batch, members = batch_of(vector, 2), batch_of(SyncVectorEnv(made), 2)
    assert np.array_equal(batch.reset(3), members.reset(3))
    for _ in range(6):
        action = np.ones((2, 2), dtype=np.float32)
        a, b = batch.step(action), members.step(action)
        assert np.array_equal(a.observation, b.observation)
        assert np.array_equal(a.reward, b.reward)
        assert np.array_equal(a.terminated, b.terminated)
        assert a.final_observation.keys() == b.final_observation.keys()
        for world, reached in a.final_observation.items():
            assert np.array_equal(reached, b.final_observation[world])
    batch.close()


def test_vectorised_environment_with_a_phantom_reset_step_is_refused() -> None:
    vector = AsyncVectorEnv([Walk], context="fork")
    try:
        with pytest.raises(UserError, match="SAME_STEP"):
            batch_of(vector, 1)
    finally:
        vector.close()


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("HalfCheetah-v99", "no environment 'HalfCheetah-v99'.*HalfCheetah-v5"),
        ("halfcheetah-v5", "did you mean HalfCheetah-v5"),
        ("CartPole-v1", r"CartPole-v1 has the action space Discrete\(2\).*continuous"),
        ("no_such_module:Env-v0", "No module named 'no_such_module'.*imported$"),
        ("Hopperr-v5", r"`Hopperr` doesn't exist; did you mean Hopper-v5, [^:]*\?$"),
        ("Mangle-Sorter-v0", "one that a module of yours registers is MODULE:Mangle-Sorter-v0"),
    ],
)
def test_environment_that_cannot_be_had_is_one_clear_line(env: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make_batch(env, 1, {})
    assert "\n" not in str(caught.value)


def test_unknown_environment_argument_is_one_clear_line() -> None:
    with pytest.raises(UserError, match="Hopper-v5 does not take"):
        make_batch("Hopper-v5", 1, {"wheels": 4})


def test_a_fixed_sigma_stays_what_it_is_while_the_mean_learns() -> None:
    config = Config(env="Pendulum-v1", iterations=3, steps_per_iteration=256, learn_std=False)
    rows = list(Training.from_config(config))
    assert {row["log_std_mean"] for row in rows} == {0.0}
    assert all(row["kl"] > 0 for row in rows)


def test_training_cut_off_in_a_batch_goes_on_only_from_a_snapshot() -> None:
    batch = batch_of(Walk(truncate=20), worlds=1)
    training = Training(batch, _policy(), Config(**SMALL | {"environments": 1}))
    next(training)
    theta = training.policy.theta()
    training.interrupt()
    with pytest.raises(Interrupted):
        next(training)
    with pytest.raises(UserError, match="in the middle of a batch"):
        next(training)
    assert training.restore(training.snapshot()) is not None  # new episodes, and it says so
    assert torch.equal(training.policy.theta(), theta)
    assert next(training)["iteration"] == 2
