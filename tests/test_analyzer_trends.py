"""Trends of a return: what is a rise, what is a fall, what is only noise."""

from collections.abc import Sequence

import numpy as np
import pytest

from analyzer import trends
from analyzer.view import View
from runlog.run import Run, run_of


def returns(values: Sequence[float | None]) -> Run:
    return run_of(
        [
            {"iteration": i + 1} | ({} if value is None else {"episode_return_mean": value})
            for i, value in enumerate(values)
        ]
    )


def test_a_steady_rise_is_progress_and_absent_before_twenty_rows() -> None:
    flat = trends.NO_PROGRESS_20.of(View(returns([float(i) for i in range(40)])))
    assert not flat.present[:19].any()
    assert flat.present[19:].all()
    assert (flat.middle[19:] == 0.0).all()


def test_noise_and_a_constant_are_no_progress() -> None:
    assert trends.NO_PROGRESS_20.of(View(returns([7.1] * 30))).middle[-1] == 1.0
    noise = np.random.default_rng(0).normal(size=4000)
    rises = trends.mann_kendall(noise, 2)[20:] >= trends.RISEN
    assert 0.02 < rises.mean() < 0.07


def test_block_means_keep_false_trends_of_an_autocorrelated_return_rare() -> None:
    rng = np.random.default_rng(1)
    x = np.zeros(20000)
    for i in range(1, len(x)):
        x[i] = 0.7 * x[i - 1] + rng.normal()
    assert (np.abs(trends.mann_kendall(x, 10)[100:]) > 1.96).mean() < 0.12


def test_mann_kendall_equals_its_definition() -> None:
    values = np.random.default_rng(2).normal(size=57)
    got = trends.mann_kendall(values, 3)
    assert np.isnan(got[:29]).all()
    for row in range(29, 57):
        means = values[row - 29 : row + 1].reshape(10, 3).mean(axis=1)
        score = sum(np.sign(means[j] - means[i]) for i in range(10) for j in range(i + 1, 10))
        assert got[row] == pytest.approx((score - np.sign(score)) / np.sqrt(125.0))


def test_a_fall_is_measured_from_the_best_mean_in_errors_and_of_the_gain() -> None:
    rng = np.random.default_rng(3)
    level = np.concatenate((np.linspace(0, 100, 50), np.full(20, 100.0), np.full(30, 40.0)))
    view = View(returns(list(level + rng.normal(size=100))))
    share = trends.RETURN_FELL_SHARE.of(view).middle
    errors = trends.RETURN_FELL.of(view).middle
    assert share[-1] == pytest.approx(0.63, abs=0.04)
    assert errors[-1] > 20
    assert share[69] < 0.05
    assert errors[69] < 4


def test_a_fall_below_a_start_that_was_never_left_is_no_share_of_a_gain() -> None:
    view = View(returns([100.0] * 10 + [50.0] * 20))
    assert trends.RETURN_FELL_SHARE.of(view).middle[-1] == 0.0
    assert trends.RETURN_FELL.of(view).middle[-1] > 4.0


def test_rows_without_an_ended_episode_keep_the_last_word() -> None:
    values: list[float | None] = [float(i) for i in range(25)]
    view = View(returns([*values, None, None]))
    assert trends.NO_PROGRESS_20.of(view).middle[-1] == 0.0


def test_the_mean_reward_speaks_while_no_episode_has_ended() -> None:
    rows = [{"iteration": i + 1, "reward_mean": float(i)} for i in range(30)]
    view = View(run_of(rows))
    assert trends.NO_PROGRESS_20.of(view).middle[-1] == 0.0
    rows.append({"iteration": 31, "reward_mean": 0.0, "episode_return_mean": 1.0})
    assert not trends.NO_PROGRESS_20.of(View(run_of(rows))).present[-1]


def test_infinite_and_missing_returns_poison_nothing() -> None:
    values = [float(i) for i in range(30)]
    values[3] = float("inf")
    values[4] = float("nan")
    view = View(returns(values))
    assert trends.NO_PROGRESS_20.of(view).middle[-1] == 0.0
    assert np.isfinite(trends.RETURN_FELL.of(view).middle[-1])
