"""Reward normalisation: the scale, what it is frozen for, and what the log says of it."""

import dataclasses
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch

from agent import checkpoint
from agent.config import Config
from agent.reward_normaliser import CLIP, RewardNormaliser, empty, restored
from agent.training import Training

GAMMA = 0.9


def _batches(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(seed)
    return [
        (generator.normal(2.0, 30.0, (steps, 3)), generator.random((steps, 3)) < 0.1)
        for steps in (1, 40, 7, 100)
    ]


def test_scale_is_the_deviation_of_every_discounted_return_seen_so_far() -> None:
    normaliser, returns, running = empty(3), [], [0.0, 0.0, 0.0]
    for reward, ended in _batches(0):
        normaliser = normaliser.updated(reward, ended, GAMMA)
        for t in range(len(reward)):
            for world in range(3):
                running[world] = GAMMA * running[world] + float(reward[t, world])
                returns.append(running[world])
                if ended[t, world]:
                    running[world] = 0.0
        assert normaliser.count == len(returns)
        assert normaliser.scale == pytest.approx(statistics.pstdev(returns), rel=1e-12)


def test_rewards_are_divided_and_held_to_ten_deviations() -> None:
    normaliser = dataclasses.replace(empty(2), count=10.0, variance=4.0)
    trained = normaliser(np.array([[1.0, -50.0], [np.nan, 3.0]]))
    np.testing.assert_array_equal(trained.values, [[0.5, -CLIP], [np.nan, 1.5]])
    assert (trained.scale, trained.clip_fraction) == (2.0, 0.25)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e12])
def test_returns_that_never_varied_leave_the_reward_as_it_is(value: float) -> None:
    normaliser = empty(4).updated(np.full((50, 4), value), np.zeros((50, 4), bool), 0.0)
    assert normaliser.scale == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308])
def test_one_reward_that_is_no_number_does_not_spoil_the_scale_for_good(value: float) -> None:
    normaliser = empty(3)
    for reward, ended in _batches(1):
        normaliser = normaliser.updated(reward, ended, GAMMA)
    hurt = np.ones((4, 3))
    hurt[1, 0] = value
    ends = np.zeros((4, 3), bool)
    after = normaliser.updated(hurt, ends, GAMMA).updated(np.zeros((4, 3)), ~ends, GAMMA)
    for reward, ended in _batches(2):
        after = after.updated(reward, ended, GAMMA)
    assert 0.5 < after.scale / normaliser.scale < 2
    assert np.isfinite(after.carry).all()


def test_snapshot_is_tensors_and_numbers_and_restores_everything(tmp_path: Path) -> None:
    normaliser = empty(3)
    for reward, ended in _batches(3):
        normaliser = normaliser.updated(reward, ended, GAMMA)
    path = checkpoint.save(tmp_path, {"iteration": 1, "stored": normaliser.snapshot()})
    back = restored(torch.load(path, weights_only=True)["stored"])
    np.testing.assert_array_equal(back.carry, normaliser.carry)
    assert dataclasses.replace(back, carry=normaliser.carry) == normaliser


def _training(env: str = "Hopper-v5", **settings: object) -> Training:
    config = Config(env=env, steps_per_iteration=512, normalise_rewards=True, iterations=4)
    return Training.from_config(dataclasses.replace(config, **settings))


def test_scale_is_frozen_while_a_batch_is_learnt_from_and_moves_after_it() -> None:
    training = _training()
    for row in training:
        in_force = row["reward_scale"]
        assert row["reward_train_mean"] == pytest.approx(row["reward_mean"] / in_force, rel=1e-12)
        assert row["reward_train_std"] == pytest.approx(row["reward_std"] / in_force, rel=1e-12)
        assert row["reward_train_max"] == row["reward_max"] / in_force
        assert row["reward_train_min"] == row["reward_min"] / in_force
        assert row["reward_clip_fraction"] == 0
        assert isinstance(training.reward_normaliser, RewardNormaliser)
        assert training.reward_normaliser.scale != in_force


def test_values_do_not_move_when_the_unit_of_the_reward_does() -> None:
    training = _training(warm_up_steps=0)
    seen = np.zeros((5, training.batch.facts.observation_dim), np.float32)
    next(training)
    assert isinstance(training.reward_normaliser, RewardNormaliser)
    in_rewards = training.critic.values(seen) * training.reward_normaliser.scale
    scale = training.reward_normaliser.scale
    training.reward_normaliser = dataclasses.replace(training.reward_normaliser, variance=9e4)
    training.critic.rescale(scale / training.reward_normaliser.scale)
    after = training.critic.values(seen) * training.reward_normaliser.scale
    np.testing.assert_allclose(after, in_rewards, rtol=1e-12)


def test_window_obeys_the_recursion_in_training_units() -> None:
    for row in _training(env="Pendulum-v1"):
        reward, value, following, terminated, truncated, advantage = (
            np.array(row[f"window_{name}"])
            for name in ("reward", "value", "next_value", "terminated", "truncated", "advantage")
        )
        assert row["reward_train_min"] <= reward.min() <= reward.max() <= row["reward_train_max"]
        delta = reward + row["gamma"] * (1 - terminated) * following - value
        carried = row["gamma"] * row["lam"] * (1 - np.maximum(terminated, truncated))
        np.testing.assert_allclose(
            advantage[:-1], delta[:-1] + carried[:-1] * advantage[1:], rtol=1e-9, atol=1e-12
        )
        assert row["reward_scale"] > 1


def test_rewards_a_thousand_times_as_large_train_the_same_policy() -> None:
    from agent.faulty_world import paying

    rows = []
    for factor in (1.0, 1024.0):
        training = _training(env="Pendulum-v1")
        training.batch = paying(training.batch, lambda step, f=factor: f * step.reward)
        rows.append(list(training))
    for plain, large in zip(*rows, strict=True):
        assert large["reward_scale"] == 1024 * plain["reward_scale"]
        for name in ("reward_train_mean", "gradient_norm", "kl", "value_loss", "window_value"):
            assert large[name] == plain[name]


def test_large_rewards_that_are_normalised_are_no_fault(tmp_path: Path) -> None:
    """Rounding is relative to what the advantages are made of, not to what the environment pays."""
    from agent.faulty_world import paying
    from analyzer.answers import answers
    from runlog import RunLog, open_run

    training = _training(env="Pendulum-v1", iterations=12)
    training.batch = paying(training.batch, lambda step: 1e8 * step.reward)
    with RunLog(tmp_path / "run", **training.metadata) as log:
        for row in training:
            log.iteration(**row)
    run = open_run(tmp_path / "run")
    assert answers(run).at(len(run) - 1).verdict == "healthy"
