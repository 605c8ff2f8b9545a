"""The agent's own log obeys the identities it is judged by, in every iteration."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agent.config import Config
from agent.parts import Parts
from agent.training import Training
from agent.trust_region import FRACTIONS, Search

Row = dict[str, Any]
RUNS = {"InvertedPendulum-v5": 3, "Pendulum-v1": 4, "Hopper-v5": 2, "HalfCheetah-v5": 4}
GENTLE = "HalfCheetah-v5"
"""Where δ = .01 is well inside the region in which first and second order suffice; elsewhere the
identities that hold to leading order are held to the limit of small steps."""


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest) -> tuple[Config, list[Row]]:
    config = Config(env=request.param, iterations=RUNS[request.param], seed=3, warm_up_steps=512)
    rows = list(Training.from_config(config))
    assert len(rows) == config.iterations
    assert all(row["update_outcome"] == "accepted" for row in rows)
    return config, rows


def test_full_step_has_the_length_the_trust_region_gives_it(run: tuple[Config, list[Row]]) -> None:
    """I1."""
    config, rows = run
    for row in rows:
        ratio = row["expected_improvement"] * row["full_step_norm"] / row["step_direction_norm"]
        assert ratio == pytest.approx(2 * config.max_kl, rel=1e-3)


def test_expected_improvement_is_positive_and_within_cauchy_schwarz(
    run: tuple[Config, list[Row]],
) -> None:
    """I2."""
    for row in run[1]:
        assert 0 < row["expected_improvement"] <= row["gradient_norm"] * row["full_step_norm"]


def test_direction_is_no_longer_than_damping_allows(run: tuple[Config, list[Row]]) -> None:
    """I3."""
    for row in run[1]:
        assert row["step_direction_norm"] * row["damping"] / row["gradient_norm"] <= 1


def test_every_search_direction_sees_at_least_the_damping(run: tuple[Config, list[Row]]) -> None:
    """I4."""
    for row in run[1]:
        assert min(row["cg_curvatures"]) >= row["damping"] * (1 - 1e-3)
        assert row["gradient_dot_direction"] / row["curvature"] == pytest.approx(1, abs=1e-3)


def test_full_step_kl_is_what_the_quadratic_model_says(run: tuple[Config, list[Row]]) -> None:
    """I5."""
    config, rows = run
    for row in rows:
        model = row["max_kl"] - 0.5 * row["damping"] * row["full_step_norm"] ** 2
        low, high = (0.86, 1.13) if config.env == GENTLE else (0.5, 1.5)
        assert model <= 0.05 * row["max_kl"] or low < row["kl_full_step"] / model < high


def test_kl_is_no_smaller_than_the_log_ratio_spread_allows(run: tuple[Config, list[Row]]) -> None:
    """I6."""
    for row in run[1]:
        variance = row["log_ratio_std"] ** 2
        assert variance <= 1e-6 or row["kl"] >= 0.1 * 0.5 * variance


def test_ratio_before_the_step_is_one(run: tuple[Config, list[Row]]) -> None:
    """I8."""
    for row in run[1]:
        assert row["ratio_before_std"] < 0.02 * math.sqrt(2 * row["max_kl"])
        assert row["ratio_before_mean"] == pytest.approx(1, abs=1e-4)


def test_window_advantages_follow_the_recursion(run: tuple[Config, list[Row]]) -> None:
    """I10."""
    for row in run[1]:
        reward, value, following = (
            np.array(row[f"window_{name}"]) for name in ("reward", "value", "next_value")
        )
        terminated, truncated = (
            np.array(row[f"window_{name}"]) for name in ("terminated", "truncated")
        )
        advantage = np.array(row["window_advantage"])
        delta = reward + row["gamma"] * (1 - terminated) * following - value
        carried = row["gamma"] * row["lam"] * (1 - np.maximum(terminated, truncated))
        expected = delta[:-1] + carried[:-1] * advantage[1:]
        assert advantage[:-1] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_log_ratio_is_aligned_with_the_advantages(run: tuple[Config, list[Row]]) -> None:
    """I13."""
    config, rows = run
    for row in rows:
        first_order = row["step_fraction"] * row["expected_improvement"]
        measured = row["advantage_log_ratio_mean"] / first_order
        tolerance = 1.5 * math.sqrt(2 * row["max_kl"]) if config.env == GENTLE else 1
        assert measured == pytest.approx(1, abs=tolerance)


def test_parameters_move_by_the_accepted_step_and_no_further(
    run: tuple[Config, list[Row]],
) -> None:
    """I14."""
    for row in run[1]:
        step = row["step_fraction"] * row["full_step_norm"]
        assert row["step_parameter_delta_norm"] == pytest.approx(step, rel=1e-3)
        assert row["parameter_delta_norm"] == row["step_parameter_delta_norm"]


def test_entropy_is_that_of_a_diagonal_gaussian(run: tuple[Config, list[Row]]) -> None:
    """I15."""
    for row in run[1]:
        expected = row["log_std_mean"] + 1.4189385
        assert row["entropy_per_dimension"] == pytest.approx(expected, abs=1e-4)


def test_actions_are_as_probable_as_the_entropy_says(run: tuple[Config, list[Row]]) -> None:
    """I16."""
    scores = []
    for row in run[1]:
        dimensions = row["entropy"] / row["entropy_per_dimension"]
        spread = math.sqrt(dimensions / (2 * row["batch_size"]))
        scores.append(abs(-row["action_log_prob_mean"] - row["entropy"]) / spread)
    assert max(scores) < 6
    assert all(min(scores[i : i + 3]) < 4 for i in range(len(scores) - 2))


def test_value_columns_agree_with_the_advantages(run: tuple[Config, list[Row]]) -> None:
    """I17."""
    for row in run[1]:
        spread = (row["advantage_raw_std"] / row["return_std"]) ** 2
        assert row["explained_variance"] == pytest.approx(1 - spread, abs=1e-2)
        mean = row["value_mean"] + row["advantage_raw_mean"]
        assert row["return_mean"] == pytest.approx(mean, rel=1e-9)
        loss = row["advantage_raw_std"] ** 2 + row["advantage_raw_mean"] ** 2
        assert row["value_loss"] == pytest.approx(loss, rel=1e-9)


def test_entropy_changes_within_the_trust_region(run: tuple[Config, list[Row]]) -> None:
    """I18."""
    for row in run[1]:
        dimensions = row["entropy"] / row["entropy_per_dimension"]
        change = abs(row["entropy_after"] - row["entropy"])
        assert change <= 1.1 * math.sqrt(dimensions * row["kl"])


@pytest.mark.parametrize("env", ["Pendulum-v1", "HalfCheetah-v5"])
def test_small_steps_obey_first_and_second_order(env: str) -> None:
    """I19, and the limits of I5, I7 and I13: a search looks at every fraction and takes the last."""

    def exhaustive(measure: Callable[[float], tuple[float, float]], _max_kl: float) -> Search:
        gains, kls = zip(*(measure(fraction) for fraction in FRACTIONS), strict=True)
        return Search(fractions=FRACTIONS, gains=gains, kls=kls, fraction=FRACTIONS[-1])

    training = Training.from_config(
        Config(env=env, iterations=2, max_kl=0.02, damping=0.05, warm_up_steps=256)
    )
    training.parts = Parts(line_search=exhaustive)
    for row in training:
        beta = np.array(row["line_search_fractions"][4:])
        kls, gains = np.array(row["line_search_kls"][4:]), np.array(row["line_search_gains"][4:])
        model = row["max_kl"] - 0.5 * row["damping"] * row["full_step_norm"] ** 2
        assert np.polyfit(np.log(beta), np.log(kls), 1)[0] == pytest.approx(2, abs=0.02)
        assert np.polyfit(np.log(beta), np.log(gains), 1)[0] == pytest.approx(1, abs=0.05)
        assert kls[-1] / beta[-1] ** 2 == pytest.approx(model, rel=0.02)
        assert row["improvement_ratio"] == pytest.approx(1, abs=0.02)
        first_order = row["step_fraction"] * row["expected_improvement"]
        assert row["advantage_log_ratio_mean"] / first_order == pytest.approx(1, abs=0.02)
