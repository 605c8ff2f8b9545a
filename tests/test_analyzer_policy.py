"""8xx on rows that hold little else: exploration, saturation, samples, horizon."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis, Finding
from runlog.run import run_of

Row = dict[str, Any]
D = 3
BASE = {"action_dim": D, "action_low": [-1.0] * D, "action_high": [1.0] * D}


def learning(i: int) -> float:
    """A return that rises from the first iteration on."""
    return 10.0 * i + math.sin(7.0 * i)


def flat(i: int) -> float:
    return 10.0 + math.sin(7.0 * i)


def row_of(i: int, returns: Callable[[int], float]) -> Row:
    entropy = D * 1.4189
    return {
        "iteration": i, "timesteps": 1000 * i, "episode_return_mean": returns(i),
        "episode_length_mean": 100.0, "kl": 0.01, "gamma": 0.99,
        "log_std_mean": -0.001 * i, "log_std_max": -0.001 * i, "log_std_min": -0.001 * i,
        "entropy": entropy, "entropy_after": entropy - 0.003,
        "saturated_units_fraction": 0.02, "action_mean_clip_fraction": 0.1,
        "effective_sample_size": 0.98, "observation_clip_fraction": 0.001,
    }  # fmt: skip


def diagnose(
    change: Callable[[Row, int], None],
    returns: Callable[[int], float] = flat,
    n: int = 45,
    **metadata: Any,
) -> Diagnosis:
    rows = [row_of(i, returns) for i in range(1, n + 1)]
    for row in rows:
        change(row, row["iteration"])
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return answers(run_of(rows, metadata=BASE | metadata)).last()


def found(diagnosis: Diagnosis, code: str) -> Finding | None:
    return next((f for f in diagnosis.findings if f.code == code), None)


def answer(diagnosis: Diagnosis, code: str) -> str:
    return next(a.answer for a in diagnosis.answers if a.code == code)


def set_from(first: int, **values: Any) -> Callable[[Row, int], None]:
    def change(row: Row, i: int) -> None:
        if i >= first:
            row.update(values)

    return change


def sigma(value: float) -> Row:
    return {"log_std_mean": value, "log_std_max": value, "log_std_min": value}


FAULTS = [
    ("TRPO801", sigma(-7.0)),
    ("TRPO803", {"saturated_units_fraction": 0.55}),
    ("TRPO804", {"action_mean_clip_fraction": 1.0}),
]


@pytest.mark.parametrize("first", [1, 21])
@pytest.mark.parametrize(("code", "values"), FAULTS)
def test_a_policy_that_was_broken_is_named_from_its_first_bad_iteration(
    code: str, values: Row, first: int
) -> None:
    diagnosis = diagnose(set_from(first, **values))
    assert diagnosis.cause is not None
    assert (diagnosis.cause.code, diagnosis.cause.first_bad_iteration) == (code, first)


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("TRPO801", sigma(-3.9)),
        ("TRPO803", {"saturated_units_fraction": 0.39}),
        ("TRPO804", {"action_mean_clip_fraction": 0.79}),
        ("TRPO805", {"effective_sample_size": 0.51}),
        ("TRPO806", {"episode_length_mean": 9999.0}),
    ],
)
def test_just_inside_the_bound_nothing_is_said(code: str, values: Row) -> None:
    assert answer(diagnose(set_from(1, **values)), code) == "no"


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("TRPO801", ("log_std_mean", "log_std_max", "entropy_after")),
        ("TRPO802", ("log_std_mean",)),
        ("TRPO803", ("saturated_units_fraction",)),
        ("TRPO804", ("action_mean_clip_fraction",)),
        ("TRPO805", ("effective_sample_size",)),
        ("TRPO806", ("episode_length_mean",)),
    ],
)
def test_without_its_column_a_rule_is_unknown(code: str, columns: tuple[str, ...]) -> None:
    assert answer(diagnose(set_from(1, **dict.fromkeys(columns)), n=60), code) == "unknown"


def test_a_sigma_that_learning_made_small_is_a_note_while_the_return_rises() -> None:
    def shrinking(row: Row, i: int) -> None:
        row.update(sigma(-0.025 * i))

    diagnosis = diagnose(shrinking, learning, n=200)
    finding = found(diagnosis, "TRPO801")
    assert diagnosis.verdict == "healthy"
    assert finding is not None
    assert finding.level == "info"


def test_a_converged_policy_with_a_small_sigma_is_a_warning_at_most() -> None:
    def converged(row: Row, i: int) -> None:
        row.update(sigma(-0.025 * min(i, 180)))

    diagnosis = diagnose(converged, lambda i: learning(min(i, 170)) + flat(i), n=210)
    finding = found(diagnosis, "TRPO801")
    assert diagnosis.verdict == "healthy"
    assert finding is not None
    assert finding.level == "warning"


def test_a_preset_that_begins_with_a_small_sigma_is_healthy() -> None:
    assert answer(diagnose(set_from(1, **sigma(-2.5))), "TRPO801") == "no"


def test_a_small_sigma_from_the_start_is_no_fault_where_the_return_rises() -> None:
    assert diagnose(set_from(1, **sigma(-4.5)), learning).verdict == "healthy"


def test_sigma_is_judged_against_the_action_range_and_a_bound_that_is_none_is_not_one() -> None:
    narrow = diagnose(set_from(21, **sigma(-5.0)), action_low=[-0.1] * D, action_high=[0.1] * D)
    assert answer(narrow, "TRPO801") == "no"
    huge = float(np.finfo(np.float32).max)
    unbounded = diagnose(lambda row, i: None, action_low=[-huge] * D, action_high=[huge] * D)
    assert answer(unbounded, "TRPO801") == "no"


def test_a_trust_region_spent_on_sigma_without_a_rise_is_collapsing_exploration() -> None:
    most = math.sqrt(D * 0.01)

    def spending(share: float) -> Callable[[Row, int], None]:
        return lambda row, i: row.update(entropy_after=row["entropy"] - share * most)

    diagnosis = diagnose(spending(0.6))
    assert diagnosis.cause is not None
    assert diagnosis.cause.code == "TRPO801"
    assert diagnose(spending(0.4)).cause is None
    assert diagnose(spending(0.6), learning).cause is None


def test_a_sigma_that_never_changes_is_a_note_from_its_first_unchanged_row() -> None:
    diagnosis = diagnose(set_from(1, **sigma(-0.5)), learning)
    finding = found(diagnosis, "TRPO802")
    assert finding is not None
    assert (finding.level, finding.first_bad_iteration) == ("info", 2)
    assert diagnosis.verdict == "healthy"
    assert answer(diagnose(set_from(1, kl=0.0, **sigma(-0.5))), "TRPO802") != "yes"


def test_saturation_that_grew_over_many_iterations_is_no_fault() -> None:
    def growing(row: Row, i: int) -> None:
        row.update(saturated_units_fraction=0.02 * i)

    finding = found(diagnose(growing), "TRPO803")
    assert finding is not None
    assert finding.level == "warning"


def test_raw_observations_may_saturate_a_policy_that_learns() -> None:
    raw = set_from(1, saturated_units_fraction=0.6, observation_clip_fraction=None)
    learns, stalls = diagnose(raw, learning), diagnose(raw)
    assert learns.cause is None
    assert stalls.cause is not None
    assert stalls.cause.code == "TRPO803"


def test_bang_bang_that_was_learned_is_a_note() -> None:
    def swimmer(row: Row, i: int) -> None:
        row.update(action_mean_clip_fraction=min(0.02 * i, 0.95))

    diagnosis = diagnose(swimmer, n=60)
    finding = found(diagnosis, "TRPO804")
    assert diagnosis.verdict == "healthy"
    assert finding is not None
    assert finding.level == "info"


def test_rows_that_lie_iterations_apart_are_no_leap() -> None:
    def sparse(row: Row, i: int) -> None:
        row.update(iteration=10 * i, action_mean_clip_fraction=0.1 if i < 20 else 0.95)

    assert diagnose(sparse).cause is None


def test_few_effective_samples_are_never_a_cause() -> None:
    few = set_from(1, effective_sample_size=0.05)
    stalled, rising = found(diagnose(few), "TRPO805"), found(diagnose(few, learning), "TRPO805")
    assert stalled is not None
    assert rising is not None
    assert (stalled.level, rising.level) == ("warning", "info")


def test_a_discount_that_sees_nothing_of_an_episode_is_a_fault_once_nothing_was_learned() -> None:
    short = set_from(1, gamma=0.5, episode_length_mean=1000.0)
    early, late, learns = (
        diagnose(short, n=49),
        diagnose(short, n=60),
        diagnose(short, learning, 60),
    )
    assert early.cause is None
    assert late.cause is not None
    assert late.cause.code == "TRPO806"
    finding = found(learns, "TRPO806")
    assert finding is not None
    assert finding.level == "warning"
