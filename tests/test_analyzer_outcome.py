"""6xx on rows that hold little else: what came of a run, and what did not."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis, Finding
from analyzer.rules import BY_CODE
from runlog.run import run_of

Row = dict[str, Any]
Level = Callable[[int], float]


def diagnose(level: Level, n: int, noise: float = 1.0, **metadata: Any) -> Diagnosis:
    return answers(run_of(rows_of(level, n, noise), metadata=metadata)).last()


def rows_of(level: Level, n: int, noise: float = 1.0) -> list[Row]:
    rng = np.random.default_rng(0)
    return [
        {
            "iteration": i, "timesteps": 4000 * i, "kl": 0.01,
            "episode_return_mean": level(i) + noise * rng.normal(),
            "reward_min": 0.0, "reward_max": 1.0, "reward_mean": 0.5,
            "episodes_terminated": 3,
        }
        for i in range(1, n + 1)
    ]  # fmt: skip


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.code == code), None)


def answer(diagnosis: Diagnosis, code: str) -> str:
    return next(a.answer for a in diagnosis.answers if a.code == code)


def fallen(to: float, at: int = 60) -> Level:
    return lambda i: min(2.0 * i, 100.0) if i < at else to


def test_a_lasting_fall_of_most_of_the_gain_is_a_fault_near_where_it_began() -> None:
    diagnosis = diagnose(fallen(20.0), 95)
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO602"
    assert 60 <= (diagnosis.cause.first_bad_iteration or 0) <= 69


def test_a_fall_of_half_the_gain_is_a_warning() -> None:
    finding = found(diagnose(fallen(50.0), 95), "TRPO602")
    assert finding is not None
    assert finding.level == "warning"


@pytest.mark.parametrize("level", [fallen(80.0), lambda i: 2.0 * i if not 60 <= i < 72 else 30.0])
def test_a_small_fall_and_a_dip_that_recovers_are_nothing(level: Level) -> None:
    assert found(diagnose(level, 110), "TRPO602") is None


def test_a_fall_within_the_noise_of_the_returns_is_nothing() -> None:
    assert found(diagnose(lambda i: 10.0 if i < 40 else 5.0, 80, noise=20.0), "TRPO602") is None


def test_without_returns_a_fall_is_unknown() -> None:
    rows = [{"iteration": i, "kl": 0.01} for i in range(1, 60)]
    last = answers(run_of(rows)).last()
    assert [answer(last, code) for code in ("TRPO602", "TRPO603", "TRPO605", "TRPO606")] == [
        "unknown"
    ] * 4


def test_a_return_that_rose_and_stands_still_is_a_plateau_and_no_more_than_a_note() -> None:
    still = diagnose(lambda i: min(2.0 * i, 60.0), 150)
    finding = found(still, "TRPO603")
    assert finding is not None
    assert finding.level == "info"
    assert still.verdict == "healthy"
    assert found(diagnose(lambda i: 2.0 * i, 150), "TRPO603") is None
    assert found(diagnose(lambda i: 5.0, 150), "TRPO603") is None


def test_a_run_that_slowed_down_is_a_note() -> None:
    def speeds(slow: float) -> Diagnosis:
        rows = rows_of(lambda i: 2.0 * i, 50)
        for i, row in enumerate(rows):
            row["steps_per_second"] = 1000.0 if i < 25 else slow
        return answers(run_of(rows)).last()

    finding = found(speeds(400.0), "TRPO606")
    assert finding is not None
    assert finding.level == "info"
    assert found(speeds(600.0), "TRPO606") is None


def solved(reward: Callable[[int], tuple[float, float, float]], level: Level) -> Diagnosis:
    rows = rows_of(level, 60, noise=0.1)
    for i, row in enumerate(rows):
        row["reward_min"], row["reward_mean"], row["reward_max"] = reward(i)
    return answers(run_of(rows, metadata={"solved_return": 90.0, "horizon": 100})).last()


def rise(i: int) -> float:
    return min(3.0 * i, 95.0)


def test_a_return_that_rose_to_the_declared_one_is_solved() -> None:
    assert solved(lambda i: (0.0, 0.5 + i / 130, 1.0), rise).verdict == "solved"


def test_a_reward_that_ends_constant_at_what_the_policy_approached_is_solved() -> None:
    last = solved(lambda i: (1.0, 1.0, 1.0) if i > 40 else (0.0, 0.97, 1.0), rise)
    assert found(last, "TRPO601") is not None


def test_rewards_replaced_by_a_constant_do_not_solve_a_task() -> None:
    last = solved(
        lambda i: (0.95, 0.95, 0.95) if i > 40 else (-1.0, -0.5, 0.0),
        lambda i: -50.0 if i <= 41 else 95.0,
    )
    assert found(last, "TRPO601") is None


def test_a_return_of_ten_times_the_declared_one_is_another_unit() -> None:
    last = solved(lambda i: (0.0, 0.5, 1.0), lambda i: 10.0 if i < 30 else 1e6)
    assert found(last, "TRPO601") is None


def test_a_return_above_the_declared_one_from_the_first_iteration_was_not_learned() -> None:
    last = solved(lambda i: (0.0, 0.5, 1.0), lambda i: 95.0 + math.sin(i))
    assert found(last, "TRPO601") is None


def test_a_kl_below_zero_is_rounding_and_a_small_one_above_it_is_none() -> None:
    def kls(value: float | None) -> Diagnosis:
        rows = rows_of(lambda i: 2.0 * i, 15)
        for row in rows:
            row.pop("kl")
            if value is not None:
                row["kl"] = value
        return answers(run_of(rows)).last()

    assert answer(kls(-6e-8), "TRPO604") == "yes"
    assert answer(kls(6e-8), "TRPO604") == "no"
    assert answer(kls(0.0), "TRPO604") == "yes"
    assert answer(kls(None), "TRPO604") == "unknown"


def test_nothing_learned_in_a_hundred_iterations_sends_to_the_environment_and_the_policy() -> None:
    diagnosis = diagnose(lambda i: 10.0, 120)
    finding = found(diagnosis, "TRPO605")
    assert diagnosis.verdict == "healthy"
    assert finding is not None
    assert finding.level == "warning"
    said = " ".join(fix.text for fix in BY_CODE["TRPO605"].fixes)
    for word in ("probe-env", "206", "803", "804", "110", "806", "0.1 to 5.0"):
        assert word in said
