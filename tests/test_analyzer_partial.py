"""Logs that hold few columns: what can be said of them, and what must not be."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from analyzer.answers import answers
from analyzer.diagnosis import Diagnosis
from runlog.importers import read_log
from runlog.run import run_of

Row = dict[str, Any]
EPOCH = """\
Accepting new params at step 0 of line search.
---------------------------------------
|             Epoch |{i:>16} |
|      AverageEpRet |{ret:>16.3g} |
|          StdEpRet |{std:>16.3g} |
|       AverageVVals |{v:>15.3g} |
| TotalEnvInteracts |{steps:>16} |
|            LossPi |{loss:>16.3g} |
|             LossV |{loss_v:>16.3g} |
|       DeltaLossPi |{delta:>16.3g} |
|                KL |{kl:>16.3g} |
|    BacktrackIters |{tries:>16} |
---------------------------------------
"""
BASE = {"std": 20.0, "v": 30.0, "loss": -1e-8, "loss_v": 800.0, "delta": -0.012, "kl": 0.009}


def flat(i: int) -> float:
    return 30.0 + 5.0 * math.sin(7.0 * i)


def rising(i: int) -> float:
    return 30.0 + 6.0 * i + 5.0 * math.sin(7.0 * i)


def spinning_up(
    change: Callable[[int], Row], returns: Callable[[int], float] = flat, n: int = 30
) -> Diagnosis:
    blocks = (
        EPOCH.format(
            **{**BASE, "i": i, "ret": returns(i), "steps": 4000 * i, "tries": 0, **change(i)}
        )
        for i in range(n)
    )
    return answers(read_log("".join(blocks).encode(), name="train.log")).last()


def diagnose(rows: list[Row], **metadata: Any) -> Diagnosis:
    return answers(run_of(rows, metadata=metadata)).last()


def code(diagnosis: Diagnosis) -> str | None:
    return diagnosis.cause.code if diagnosis.cause else None


def test_a_zero_without_a_point_is_exactly_zero() -> None:
    dead = spinning_up(lambda _: {"kl": 0.0, "delta": 0.0}, n=12)
    assert code(dead) == "TRPO604"
    assert spinning_up(lambda i: {"kl": 0.0 if i % 3 else 0.009}, n=12).cause is None


@pytest.mark.parametrize("returns", [flat, rising])
def test_a_kl_beyond_any_limit_is_a_fault_where_nothing_is_learned(
    returns: Callable[[int], float],
) -> None:
    far = spinning_up(lambda i: {"kl": 0.5 + 0.01 * i}, returns)
    assert code(far) == ("TRPO502" if returns is flat else None)


@pytest.mark.parametrize("returns", [flat, rising])
def test_a_value_loss_that_grows_a_thousandfold_under_equal_returns_is_a_fault(
    returns: Callable[[int], float],
) -> None:
    blown_up = spinning_up(lambda i: {"loss_v": 800.0 * 2.0**i}, returns)
    assert code(blown_up) == ("TRPO702" if returns is flat else None)
    assert spinning_up(lambda i: {"loss_v": 8.0 * (1 + i)}, returns).cause is None


def row(i: int, returns: Callable[[int], float], **columns: Any) -> Row:
    return {"iteration": i, "episode_return_mean": returns(i), "kl": 0.009, **columns}


def test_an_explained_variance_far_below_0_throughout_is_a_fault() -> None:
    worse = [row(i, flat, explained_variance=-3.0 - 0.1 * (i % 7)) for i in range(1, 41)]
    assert code(diagnose(worse)) == "TRPO702"


@pytest.mark.parametrize(
    ("returns", "explained"),
    [
        (flat, lambda i: -3.0 + 0.3 * min(i, 12)),  # a fresh critic
        (rising, lambda _: -3.0),  # learned all the same
        (lambda i: 490.0 + i % 11, lambda _: -3.0),  # near the cap targets hardly vary
    ],
)
def test_a_negative_explained_variance_alone_is_none(
    returns: Callable[[int], float], explained: Callable[[int], float]
) -> None:
    rows = [row(i, returns, explained_variance=explained(i)) for i in range(1, 41)]
    assert diagnose(rows).cause is None


@pytest.mark.parametrize(("fall", "expected"), [(0.4, "TRPO801"), (0.02, None), (0.0, None)])
def test_sigma_that_falls_by_all_that_kl_allows_is_squeezed(
    fall: float, expected: str | None
) -> None:
    rows = [row(i, rising, kl=0.16 if fall > 0.1 else 0.009, log_std_mean=-fall * i, log_std_max=-fall * i) for i in range(1, 31)]  # fmt: skip
    assert code(diagnose(rows, algorithm="npg")) == expected


def test_a_return_that_never_changes_leaves_the_verdict_open() -> None:
    same = diagnose([row(i, lambda _: 500.0) for i in range(1, 31)])
    assert (same.verdict, same.cause) == ("unknown", None)
    assert [f.level for f in same.findings if f.code == "TRPO101"] == ["warning"]
    capped = diagnose([row(i, lambda i: min(500.0, 30.0 * i)) for i in range(1, 61)])
    assert (capped.verdict, capped.findings) == ("healthy", ())


def test_a_step_turned_round_is_a_flipped_gradient() -> None:
    step = {"line_search_success": False, "gradient_dot_direction": 2.0, "curvature": 2.0}
    rows = [row(i, flat, **step | {"kl": 0.0, "expected_improvement": -0.2}) for i in range(1, 9)]
    assert code(diagnose(rows, algorithm="trpo")) == "TRPO205"
    for r in rows:
        r["expected_improvement"] = 0.2
    assert code(diagnose(rows, algorithm="trpo")) == "TRPO501"


def test_a_second_optimiser_that_moves_the_policy_by_most_of_a_trust_region_is_found() -> None:
    moves = {"max_kl": 0.01, "kl_drift": 0.0085, "step_parameter_delta_norm": 0.15, "policy_parameter_norm": 9.0}  # fmt: skip
    rows = [row(i, flat, **moves, parameter_delta_norm=0.15 if i == 20 else 0.2) for i in range(1, 21)]  # fmt: skip
    assert code(diagnose(rows)) == "TRPO008"
    for r in rows:  # a normaliser that moves, and parameters that stay
        r["parameter_delta_norm"] = 0.15
    assert diagnose(rows).cause is None


def test_a_natural_gradient_far_beyond_its_limit_needs_no_search_to_be_told() -> None:
    rows = [row(i, rising, max_kl=0.01) for i in range(1, 13)]
    for factor, expected in ((60.0, "TRPO502"), (3.0, None)):
        for r in rows:
            r["kl"] = 0.01 * factor
        assert code(diagnose(rows, algorithm="npg")) == expected


def test_rewards_tell_the_trend_of_episodes_that_never_end_early() -> None:
    def told(rewards: Callable[[int], float]) -> str | None:
        rows = [
            {
                "iteration": i,
                "reward_mean": rewards(i),
                "kl": 0.009,
                "log_std_mean": -7.0,
                "log_std_max": -7.0,
                "episodes_terminated": 0,
            }
            | ({"episode_return_mean": 1000.0 * rewards(i)} if i % 4 == 0 else {})
            for i in range(1, 41)
        ]
        return code(diagnose(rows))

    assert told(lambda i: 0.1 * math.sin(7.0 * i)) == "TRPO801"
    assert told(lambda i: 0.1 * i) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (1.0, "TRPO108"),  # between what every batch paid least and most
        (0.1, None),  # what was always there, without a bonus
        (4.2, None),  # the best there is: mastered
    ],
)
def test_a_reward_that_became_constant_between_its_former_bounds_was_replaced(
    now: float, expected: str | None
) -> None:
    rows = [row(i, rising, reward_min=0.1, reward_max=4.2 + 0.1 * (i % 3)) for i in range(1, 21)]
    rows += [row(i, rising, reward_min=now, reward_max=now) for i in range(21, 31)]
    for i, r in enumerate(rows):
        r["episode_length_mean"] = 30.0 + i
    assert code(diagnose(rows)) == expected


@pytest.mark.parametrize(("kl", "expected"), [(1e-4, "TRPO404"), (8e-3, None)])
def test_the_kl_of_a_step_taken_whole_is_that_of_the_full_step(
    kl: float, expected: str | None
) -> None:
    step = {"max_kl": 0.01, "damping": 1e4, "full_step_norm": 1.41e-3, "step_fraction": 1.0}
    rows = [row(i, flat, **step | {"kl": kl, "line_search_success": True}) for i in range(1, 13)]
    assert code(diagnose(rows, algorithm="trpo")) == expected
