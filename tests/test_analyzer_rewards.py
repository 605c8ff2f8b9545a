"""Rewards that tell nothing, shrink, change their unit, or pay every step alike."""

from typing import Any

import numpy as np
import pytest
from test_analyzer_rules import Row, diagnose, survival

from analyzer.diagnosis import Diagnosis, Finding


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.code == code), None)


def drawn(row: Row, i: int, *, walk: float = 1.0, r2: float = -0.1) -> None:
    """Rewards N(0, 1): 40 episodes of 50 steps, whose returns spread by √50."""
    rng = np.random.default_rng(i)
    row.update(reward_mean=0.0, reward_std=1.0, reward_r2=r2 if i % 5 == 0 else None)
    row.update(reward_min=-3.0 - rng.random(), reward_max=3.0 + rng.random())
    row.update(episode_return_mean=rng.normal(), episode_return_std=(50.0 * walk) ** 0.5)
    row.update(episode_length_mean=50.0, episodes_terminated=40, episodes_truncated=0)
    row.update(explained_variance=0.0)


def test_returns_that_walk_at_random_come_from_rewards_that_depend_on_nothing() -> None:
    diagnosis = diagnose(drawn, solved_return=None)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO104", 1)
    assert {"reward_r2", "random_walk"} <= {e.measure for e in diagnosis.cause.evidence}


def test_noise_that_the_monitor_of_the_returns_does_not_see_is_named() -> None:
    diagnosis = diagnose(lambda row, i: drawn(row, i, walk=1e-3), solved_return=None)
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO104"


@pytest.mark.parametrize("ended", [range(1, 64, 2), range(0, 64, 3)])
def test_episodes_that_a_monitor_does_not_see_end_are_counted_in_the_windows(ended: range) -> None:
    def unseen(row: Row, i: int) -> None:
        for name in [name for name in row if name.startswith("episode_")]:
            row[name] = None
        ends = [float(step in ended) for step in range(64)]
        row.update(window_terminated=ends, window_truncated=[0.0] * 64)

    named = found(diagnose(unseen, horizon=1000), "TRPO105") is not None
    assert named == (ended.step == 2)


@pytest.mark.parametrize("change", [{"walk": 4.0}, {"r2": 0.3}])
def test_rewards_that_come_in_stretches_or_can_be_told_are_no_noise(change: dict[str, Any]) -> None:
    assert found(diagnose(lambda row, i: drawn(row, i, **change)), "TRPO104") is None


def test_a_win_or_a_loss_at_the_end_is_no_noise() -> None:
    def game(row: Row, i: int) -> None:
        drawn(row, i)
        row.update(reward_min=-1.0, reward_max=1.0, reward_std=0.14, episode_return_std=1.0)

    assert found(diagnose(game), "TRPO104") is None


def test_without_a_regression_of_the_reward_noise_is_not_judged() -> None:
    def unmeasured(row: Row, i: int) -> None:
        drawn(row, i)
        row.update(reward_r2=None)

    diagnosis = diagnose(unmeasured)
    assert {a.code: a.answer for a in diagnosis.answers}["TRPO104"] == "unknown"


@pytest.mark.parametrize("factor", [0.8, 1.3])
def test_a_divisor_that_compounds_is_a_drift(factor: float) -> None:
    diagnosis = diagnose(lambda row, i: row.update(reward_scale=5.0 * factor**i))
    finding = found(diagnosis, "TRPO112")
    assert finding is not None
    assert finding.level == "fault"
    assert finding.first_bad_iteration is not None
    assert finding.first_bad_iteration <= 6


def test_a_running_deviation_that_settles_or_follows_the_rewards_is_no_drift() -> None:
    def settles(row: Row, i: int) -> None:  # nothing but the first batch ever varied
        row.update(reward_scale=40.0 / (i + 1) ** 0.5)

    def follows(row: Row, i: int) -> None:
        grown = 1.2**i
        row.update(reward_scale=5.0 * grown, reward_std=grown, reward_mean=0.1 * grown)
        row.update(reward_min=-3.0 * grown, reward_max=4.0 * grown)

    assert found(diagnose(settles), "TRPO112") is None
    assert found(diagnose(follows), "TRPO112") is None
    assert found(diagnose(lambda row, i: row.update(reward_scale=1.0)), "TRPO112") is None


def shrink(row: Row, factor: float) -> None:
    for name in ("reward_mean", "reward_std", "reward_min", "reward_max"):
        row[name] *= factor


def test_dense_rewards_that_become_zero_are_constant_from_there_on() -> None:
    diagnosis = diagnose(lambda row, i: shrink(row, 0.0) if i >= 14 else None, n=25)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO101", 15)


def test_dense_rewards_that_shrink_beside_a_critic_in_the_old_unit_have_vanished() -> None:
    def lost(row: Row, i: int) -> None:
        if i >= 14:
            shrink(row, 1e-6)
            row.update(return_std=0.5, explained_variance=-15.0)

    diagnosis = diagnose(lost, n=25)
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == ("TRPO102", 19)


def test_a_goal_that_is_lost_again_is_neither() -> None:
    def sparse(row: Row, i: int) -> None:
        paid = 1.0 if i < 14 else 0.0
        row.update(reward_min=0.0, reward_max=paid, reward_mean=paid / 200)
        row.update(reward_std=paid / 14)

    diagnosis = diagnose(sparse)
    assert found(diagnosis, "TRPO101") is None
    assert found(diagnosis, "TRPO102") is None


def test_rewards_below_one_step_of_the_critic_have_vanished_from_the_start() -> None:
    def tiny(row: Row, i: int) -> None:
        shrink(row, 1e-7)
        row.update(gamma=0.99, vf_lr=1e-3, explained_variance=-5.0)

    cause = diagnose(tiny).cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO102", 1)


def window(rewards: float, seed: int) -> Row:
    """Advantages of rewards of that size under a critic whose values are its own noise."""
    rng = np.random.default_rng(seed)
    r, v = rewards * rng.normal(size=64), 0.02 * rng.normal(size=64)
    after = np.append(v[1:], 0.0)
    a = np.zeros(65)
    for t in reversed(range(64)):
        a[t] = r[t] + 0.99 * after[t] - v[t] + 0.99 * 0.95 * a[t + 1]
    names = ("reward", "value", "next_value", "advantage", "terminated", "truncated")
    lists = (r, v, after, a[:64], np.zeros(64), np.zeros(64))
    return {f"window_{name}": list(values) for name, values in zip(names, lists, strict=True)}


@pytest.mark.parametrize(("used", "named"), [(1e-7, True), (1e-2, False)])
def test_a_critic_that_explains_its_own_noise_is_in_another_unit_only_where_windows_say_so(
    used: float, named: bool
) -> None:
    def noisy(row: Row, i: int) -> None:
        shrink(row, 1e-7)
        row.update(gamma=0.99, lam=0.95, vf_lr=1e-3, explained_variance=0.6, value_std=0.02)
        told = window(1e-7, i)
        if used != 1e-7:
            told["window_advantage"] = window(used, i)["window_advantage"]
        row.update(told)

    assert (found(diagnose(noisy), "TRPO102") is not None) == named


def cost(row: Row, i: int) -> None:
    row.update(reward_min=-1.0, reward_max=-1.0, reward_mean=-1.0, reward_std=0.0)
    row.update(episode_return_mean=-200.0, episodes_terminated=0, episode_return_std=0.0)
    row.update(episode_length_mean=200.0)


@pytest.mark.parametrize(
    ("solved", "level"), [(-110.0, "warning"), (None, "warning"), (-3.75, "fault"), (90.0, "fault")]
)
def test_a_cost_of_one_a_step_waits_for_its_goal_where_one_can_be_meant(
    solved: float | None, level: str
) -> None:
    finding = found(diagnose(cost, solved_return=solved, horizon=200), "TRPO101")
    assert finding is not None
    assert finding.level == level


def test_rewards_that_differed_and_are_alike_now_are_broken_whatever_is_declared() -> None:
    def flattened(row: Row, i: int) -> None:
        row.update(episodes_terminated=20)
        if i >= 14:
            row.update(reward_min=1.0, reward_max=1.0, reward_mean=1.0, reward_std=0.0)

    cause = diagnose(flattened, solved_return=None).cause
    assert cause is not None
    assert (cause.code, cause.first_bad_iteration) == ("TRPO108", 15)


def test_a_balancing_task_that_is_mastered_pays_its_most_in_every_step() -> None:
    def mastered(row: Row, i: int) -> None:
        survival(row, i)
        if i < 14:  # the step that ends an episode pays nothing
            row.update(reward_min=0.0, reward_mean=0.9, reward_std=0.3)

    finding = found(diagnose(mastered, solved_return=950.0), "TRPO108")
    assert finding is None or finding.level == "info"


def test_a_log_of_returns_and_lengths_in_one_ratio_gets_a_note() -> None:
    unlogged = [f"reward_{name}" for name in ("mean", "std", "min", "max")]

    def lengths(row: Row, i: int, paid: float = 1.0) -> None:
        row.update(dict.fromkeys(unlogged))
        length = 20.0 + 3.3 * i
        row.update(episode_length_mean=length, episode_return_mean=paid * length)

    finding = found(diagnose(lengths), "TRPO108")
    assert finding is not None
    assert finding.level == "info"
    assert found(diagnose(lambda row, i: lengths(row, i, 1.0 + 0.01 * i)), "TRPO108") is None
