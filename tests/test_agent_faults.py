"""Each fault really breaks what it says, from its iteration on, and the log tells the truth."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent import faults
from agent.config import Config
from agent.training import Training
from runlog.errors import UserError

Row = dict[str, Any]
SMALL = {"steps_per_iteration": 256, "environments": 4, "warm_up_steps": 64}


def _rows(*texts: str, env: str = "Pendulum-v1", iterations: int = 3, **settings: Any) -> list[Row]:
    config = Config(env=env, iterations=iterations, **SMALL | settings)
    training = Training.from_config(config)
    faults.put_in(training, texts)
    return list(training)


def _window_errors(row: Row) -> np.ndarray:
    """I10: what is left of the advantage recursion over the window."""
    reward, value, following, advantage, terminated, truncated = (
        np.array(row[f"window_{name}"])
        for name in ("reward", "value", "next_value", "advantage", "terminated", "truncated")
    )
    delta = reward + row["gamma"] * (1 - terminated) * following - value
    carried = row["gamma"] * row["lam"] * (1 - np.maximum(terminated, truncated))
    error: np.ndarray = advantage[:-1] - delta[:-1] - carried[:-1] * advantage[1:]
    return error / row["advantage_raw_std"]


def _negated(window: list[float]) -> Row:
    return {"window_advantage": [-value for value in window]}


def _window_twice(row: Row) -> bool:
    """Whether every return occurs once for each of the four worlds."""
    returns = row["episode_returns"]
    return bool(returns) and all(returns.count(value) % 4 == 0 for value in returns)


def _alignment(row: Row) -> float:
    """Σ Â·Δlog π over the window, over what the update expects of as many steps."""
    advantage = np.array(row["window_advantage"]) - row["advantage_raw_mean"]
    moved = np.array(row["window_log_prob_new"]) - np.array(row["window_log_prob_old"])
    gain = float(np.mean(advantage / row["advantage_raw_std"] * moved))
    return gain / (row["step_fraction"] * row["expected_improvement"])


def _noise_score(row: Row) -> float:
    """I16."""
    dimensions = row["entropy"] / row["entropy_per_dimension"]
    spread = math.sqrt(dimensions / (2 * row["batch_size"]))
    return float((-row["action_log_prob_mean"] - row["entropy"]) / spread)


SIGNS: dict[str, Callable[[Row], bool]] = {
    "constant-reward": lambda r: r["reward_min"] == r["reward_max"] == 1.0,
    "zero-reward": lambda r: r["advantage_raw_std"] == 0.0,
    "nan-reward": lambda r: math.isnan(r["reward_mean"]),
    "critic-first": lambda r: bool(np.abs(_window_errors(r)).max() > 0.05) and r["vf_iters"] == 50,
    "detached-gradient": lambda r: (
        r["gradient_norm"] == 0.0
        and set(r["gradient_norms"]) == {None}
        and r["update_outcome"] == "skipped-gradient"
        and r["advantage_std"] > 0.99
    ),
    "noiseless-sampling": lambda r: (
        _noise_score(r) < -10 and r["update_outcome"] == "skipped-gradient"
    ),
    "absolute-cg-tolerance": lambda r: (
        r["step_direction_norm"] == 0.0
        and r["gradient_norm"] > 0.01
        and r["cg_iterations"] == 0
        and math.isnan(r["full_step_norm"])
    ),
    "subtracted-damping": lambda r: r["cg_min_curvature"] < 0.9 * r["damping"],
    "singular-fisher": lambda r: (
        r["damping"] == 0.0
        and r["kl_full_step"] > 2 * r["max_kl"]
        and r["fisher_ritz_min"] < 1e-3 * r["fisher_ritz_max"]
    ),
    "wrong-step-length": lambda r: (
        abs(
            r["expected_improvement"] * r["full_step_norm"] / r["step_direction_norm"] / r["max_kl"]
            - 1
        )
        < 1e-3
    ),
    "tiny-max-kl": lambda r: r["max_kl"] == 1e-16 and r["kl"] < 1e-14,
    "parameters-not-applied": lambda r: (
        not any(r["line_search_kls"] + r["line_search_gains"]) and r["parameter_delta_norm"] == 0.0
    ),
    "flipped-line-search": lambda r: (
        r["line_search_success"] is False
        and max(r["line_search_gains"]) <= 0
        and r["line_search_gains"][-1] * 512 < -0.5 * r["expected_improvement"]
    ),
    "self-referential-kl": lambda r: r["kl"] == 0.0 and r["parameter_delta_norm"] > 0.01,
    "vanished-reward": lambda r: -1e-5 < r["reward_min"] < 0.0,
    "oversized-reward": lambda r: r["reward_min"] < -1e5 and r["value_std"] < 1.0,
    "random-reward": lambda r: r["reward_max"] > 2.0,
    "instant-termination": lambda r: set(r["episode_lengths"]) == {2.0},
    "observation-blow-up": lambda r: r["observation_clip_fraction"] > 0.9,
    "dead-observation": lambda r: r["observation_dead_dimensions"] >= 1,
    "duplicate-environments": lambda r: _window_twice(r),
    "flipped-advantages": lambda r: bool(
        np.abs(_window_errors(r | _negated(r["window_advantage"]))).max() < 1e-9
    ),
    "gae-reward-shift": lambda r: bool(np.abs(_window_errors(r)).max() > 0.01),
    "shuffled-gradient": lambda r: (
        r["line_search_gains"][-1]
        < 0.9 * r["line_search_fractions"][-1] * r["expected_improvement"]
    ),
    "gradient-spikes": lambda r: r["gradient_norm"] > 1e2,
    "saturated-policy": lambda r: r["saturated_units_fraction"] > 0.3,
    "flipped-gradient": lambda r: (
        r["line_search_success"] is False and max(r["line_search_gains"]) <= 0
    ),
    "partly-dead-gradient": lambda r: r["gradient_norms"][:5] == [None] * 5,
    "stochastic-fisher": lambda r: (
        r["cg_residual_true"] is None or r["cg_residual_true"] > 10 * r["cg_residual"]
    ),
    "unconverged-cg": lambda r: r["fisher_ritz_max"] is None,
    "swamped-step": lambda r: r["full_step_norm"] < 1e-5,
    "oversized-max-kl": lambda r: r["kl"] > 0.1,
    "overdamped": lambda r: r["full_step_norm"] < 1e-3,
    "impossible-search": lambda r: (
        r["line_search_success"] is False
        and r["line_search_gains"][0] > 0
        and r["line_search_kls"][-1] < r["max_kl"]
    ),
    "unchecked-kl": lambda r: r["kl"] > 1.5 * r["max_kl"],
    "pushed-policy": lambda r: r["kl_drift"] > 0.004,
    "frozen-critic": lambda r: r["value_parameter_delta_norm"] == 0.0,
    "negated-targets": lambda r: r["explained_variance_after"] < 0.0,
    "collapsed-sigma": lambda r: r["log_std_max"] < -6.0,
    "masked-advantages": lambda r: (
        r["advantage_raw_std"] == 0.0 and r["reward_min"] < r["reward_max"]
    ),
    "squashed-mean": lambda r: r["gradient_norms"][-1] < 1e-2,
    "summed-gradient": lambda r: 0.2 < r["improvement_ratio"] < 0.8,
    "absolute-skip": lambda r: (
        r["update_outcome"] == "skipped-advantages" and r["advantage_raw_std"] > 1.0
    ),
    "saturated-actions": lambda r: r["action_mean_clip_fraction"] == 1.0,
}
"""By fault: what is so in every row of a run that has it, and not in every row of one without."""
ENVS = {"duplicate-environments": "InvertedPendulum-v5"}
BY_COMPARISON = (
    "stale-old-policy",
    "gae-done-mask",
    "gae-truncation",
    "misaligned-advantages",
    "noisy-advantages",
    "reward-scale-drift",
    "ignored-actions",
    "slow-worlds",
)


@pytest.mark.parametrize("name", SIGNS)
def test_fault_shows_in_its_columns(name: str) -> None:
    env = ENVS.get(name, "Pendulum-v1")
    assert all(SIGNS[name](row) for row in _rows(name, env=env))
    assert not all(SIGNS[name](row) for row in _rows(env=env))


def test_stale_old_policy_shows_from_the_second_update_on() -> None:
    spread = [row["ratio_before_std"] for row in _rows("stale-old-policy", iterations=4)]
    assert spread[0] < 1e-5
    assert spread[1] > 0.5 * math.sqrt(2 * 0.01)
    intercept = _rows("stale-old-policy", iterations=2)[1]["line_search_kls"]
    assert intercept[-1] > 1e-3, "KL does not vanish with the step"


def test_shifted_done_mask_shows_where_an_episode_ends() -> None:
    row = _rows("gae-done-mask", env="InvertedPendulum-v5")[-1]
    assert np.abs(_window_errors(row)).max() > 0.05
    sound = _rows(env="InvertedPendulum-v5")[-1]
    assert np.abs(_window_errors(sound)).max() < 1e-9


def test_truncation_taken_for_a_terminal_state_shows_where_an_episode_is_cut() -> None:
    rows = _rows("gae-truncation", steps_per_iteration=1024)
    assert any(row["episodes_truncated"] for row in rows)
    assert max(np.abs(_window_errors(row)).max() for row in rows) > 0.05


@pytest.mark.parametrize("name", ["misaligned-advantages", "noisy-advantages"])
def test_advantages_of_other_steps_show_in_what_became_more_likely(name: str) -> None:
    settings: dict[str, Any] = {"iterations": 10, "steps_per_iteration": 1024}
    wrong = [_alignment(row) for row in _rows(name, env="InvertedPendulum-v5", **settings)]
    right = [_alignment(row) for row in _rows(env="InvertedPendulum-v5", **settings)]
    assert min(wrong) < 0 < min(right)


def test_divisor_of_rewards_drifts_away_from_them() -> None:
    rows = _rows("reward-scale-drift", iterations=8)
    scales = [row["reward_scale"] for row in rows]
    honest = [row["reward_scale"] for row in _rows(iterations=8, normalise_rewards=True)]
    assert scales[-1] / honest[-1] < 0.5 * scales[0] / honest[0]


def test_deaf_worlds_pay_the_same_whatever_they_are_told() -> None:
    def paid(*fault: str, log_std: float) -> list[float]:
        return [row["reward_mean"] for row in _rows(*fault, log_std=log_std)]

    assert paid("ignored-actions", log_std=0.0) == paid("ignored-actions", log_std=-3.0)
    assert paid(log_std=0.0) != paid(log_std=-3.0)


def test_slow_worlds_wait_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("agent.faulty_motors.time.sleep", waited.append)
    slow = _rows("slow-worlds:0.5@3")
    assert waited == [0.5] * 64
    assert [row["reward_mean"] for row in slow] == [row["reward_mean"] for row in _rows()]


def test_every_fault_has_a_test() -> None:
    assert set(SIGNS) | set(BY_COMPARISON) == set(faults.FAULTS)


def test_fault_begins_at_its_iteration_with_its_severity() -> None:
    rewards = [row["reward_max"] for row in _rows("constant-reward:0.5@3", iterations=4)]
    assert rewards[:2] != [0.5, 0.5]
    assert rewards[2:] == [0.5, 0.5]


def test_two_faults_at_once() -> None:
    row = _rows("constant-reward", "self-referential-kl")[-1]
    assert SIGNS["constant-reward"](row)
    assert SIGNS["self-referential-kl"](row)


def test_run_that_goes_on_later_has_its_faults_in_the_order_they_began() -> None:
    both = ("constant-reward:0.5@3", "nan-reward@2")
    training = Training.from_config(Config(env="Pendulum-v1", iterations=4, **SMALL))
    for _ in range(3):
        next(training)
    faults.put_in(training, both)
    assert next(training)["reward_max"] == _rows(*both, iterations=4)[-1]["reward_max"] == 0.5


def test_absolute_tolerance_is_told_to_the_log() -> None:
    training = Training.from_config(Config(env="Pendulum-v1", **SMALL))
    faults.put_in(training, ("absolute-cg-tolerance:7",))
    assert training.metadata["cg_tolerance_kind"] == "absolute"
    assert training.metadata["cg_tolerance"] == 7.0


@pytest.mark.parametrize(
    "text", ["no-such-fault", "tiny-max-kl:much", "tiny-max-kl@soon", "", ":1"]
)
def test_fault_that_is_none_is_one_clear_line(text: str) -> None:
    with pytest.raises(UserError, match="--fault"):
        faults.parse(text)


def test_only_the_command_knows_of_faults() -> None:
    package = Path(faults.__file__).parent
    importing = {
        path.name
        for path in package.rglob("*.py")
        if re.search(r"import faults|agent\.faults", path.read_text("utf-8"))
    }
    assert importing == {"train_command.py"}
    assert not re.search(r"\bfaults?\b", (package / "trpo.py").read_text("utf-8"))
