"""Which iterations are suspicious enough to keep the state before them, and which are not."""

import math
from typing import Any

import numpy as np
import pytest

from agent.suspicion import QUIET, RETURNS, Past, half_range, judge


def _row(iteration: int, **columns: Any) -> dict[str, Any]:
    healthy = {"update_outcome": "accepted", "kl": 0.0099, "max_kl": 0.01, "log_std_min": -0.5}
    episodes = {"episodes_terminated": 9, "episodes_truncated": 1, "episode_length_mean": 200.0}
    return {"iteration": iteration, "batch_size": 2048, **healthy, **episodes, **columns}


def _judged(rows: list[dict[str, Any]]) -> list[tuple[int, str]]:
    past, found = Past(), []
    for row in rows:
        news, past = judge(row, past)
        found += [(row["iteration"], kind) for kind in news]
    return found


def test_a_lasting_trouble_is_news_once_and_again_after_a_quiet_time() -> None:
    rejected = {"update_outcome": "rejected"}
    rows = [
        _row(i, **(rejected if i in (3, 4, 9, 30, 31, 31 + QUIET + 1) else {}))
        for i in range(1, 80)
    ]
    assert _judged(rows) == [(3, "rejected"), (31 + QUIET + 1, "rejected")]


def test_noise_slow_forgetting_and_a_healthy_fall_of_sigma_are_not_suspicious() -> None:
    rng = np.random.default_rng(0)
    rising = [
        _row(i, episode_return_mean=10 * i + 40 * rng.standard_normal(), log_std_min=-0.01 * i)
        for i in range(1, 200)
    ]
    falling = [_row(i, episode_return_mean=-10.0 * i) for i in range(1, 100)]
    flat = [_row(i, episode_return_mean=200.0) for i in range(1, 100)]
    heavy = [_row(i, episode_return_mean=float(rng.lognormal())) for i in range(1, 300)]
    for rows in (rising, falling, flat, heavy):
        assert _judged(rows) == []


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"episode_return_mean": -500.0}, "collapse"),
        ({"log_std_min": -5.0}, "collapse"),
        ({"kl": 0.016}, "overshoot"),
        ({"value_loss": math.nan}, "non-finite"),
        ({"kl": math.inf}, "non-finite"),
        ({"update_outcome": "skipped-gradient"}, "skipped"),
    ],
)
def test_collapse_overshoot_and_non_finite_values_are_suspicious(
    columns: dict[str, Any], kind: str
) -> None:
    rng = np.random.default_rng(0)
    rows = [_row(i, episode_return_mean=5.0 * i + rng.standard_normal()) for i in range(1, 40)]
    found = _judged([*rows, _row(40, **({"episode_return_mean": 200.0} | columns))])
    assert (40, kind) in found
    assert {at for at, _ in found} == {40}
    assert len(rows) > RETURNS


def test_the_few_long_episodes_that_ended_early_are_no_collapse() -> None:
    rows = [_row(i, episode_return_mean=100.0 * i) for i in range(1, 40)]
    fallen = {"episode_return_mean": 50.0}
    few = {"episodes_terminated": 2, "episodes_truncated": 0, "episode_length_mean": 20.0}
    assert _judged([*rows, _row(40, **fallen, **few)]) == []
    assert _judged([*rows, _row(40, **fallen)]) == [(40, "collapse")]


def test_sigma_is_judged_by_the_range_of_the_actions() -> None:
    narrow = half_range(np.array([-0.01, -np.inf]), np.array([0.01, np.inf]))
    assert narrow == pytest.approx(0.01)
    assert half_range(np.array([-np.inf]), np.array([np.inf])) == 1.0
    largest = np.full(2, np.finfo(np.float32).max)
    assert half_range(-largest, largest) == 1.0
    assert judge(_row(1, log_std_min=-5.0), Past(half_range=narrow))[0] == {}
