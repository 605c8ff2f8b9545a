"""Environments that misbehave, through a whole training and its log."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete

from agent.__main__ import main
from runlog import open_run
from runlog.run import Run

SMALL = ["--steps-per-iteration=64", "--environments=4", "--warm-up-steps=32", "--vf-iters=2"]
STEPS = 16
"""Steps of one world in an iteration; the warm-up has 8."""
OBSERVATIONS: dict[str, gymnasium.Space[Any]] = {
    "numbers": Box(-np.inf, np.inf, (3,), np.float64),
    "dict": Dict({"place": Box(-np.inf, np.inf, (2,), np.float32), "phase": Discrete(4)}),
    "integer": Discrete(5),
    "bytes": Box(0, 255, (2, 2), np.uint8),
    "integers": MultiDiscrete([3, 4]),
}


class Hostile(gymnasium.Env[Any, Any]):
    """A point on the line whose `world`-th instance misbehaves in its `at`-th step."""

    made = 0
    seen: list[float] = []  # noqa: RUF012 emptied by the fixture

    def __init__(
        self, does: str = "", at: int = 40, world: int = 2, sees: str = "numbers", bound: float = 1
    ) -> None:
        self.does, self.at, self.sees = does, at, sees
        self.mine = Hostile.made == world
        Hostile.made += 1
        self.steps = 0
        self.action_space = Box(-bound, bound, (2,), np.float32)
        if does == "discrete":
            self.action_space = Discrete(3)
        self.observation_space = OBSERVATIONS[sees]

    def _see(self) -> Any:
        if self.sees == "numbers":
            lost = self.does == "nan-observation" and self.mine and self.steps == self.at
            return np.array([self.place, math.nan if lost else 0.5, 1.0])
        return self.observation_space.sample()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(1000)))
        self.place = float(self.np_random.normal())
        return self._see(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        Hostile.seen.append(float(np.abs(action).max()))
        self.steps += 1
        due = self.mine and self.steps == self.at
        if self.does == "raise" and due:
            raise FloatingPointError("the motor burnt out")
        self.place += 0.1 * float(action[0])
        reward = math.nan if self.does == "nan-reward" and due else -abs(self.place)
        ends = self.does == "ends-at-once" or abs(self.place) > 30
        return self._see(), reward, ends, False, {"reward_place": reward}


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    Hostile.made, Hostile.seen = 0, []
    gymnasium.register("Hostile-v0", Hostile, max_episode_steps=20)
    gymnasium.register("Endless-v0", Hostile)
    yield
    del gymnasium.registry["Hostile-v0"], gymnasium.registry["Endless-v0"]


def _train(run: Path, *arguments: str, env: str = "Hostile-v0") -> int:
    return main(["train", f"--env={env}", f"--out={run}", "--iterations=4", *SMALL, *arguments])


def _trained(run: Path, *arguments: str, env: str = "Hostile-v0") -> Run:
    assert _train(run, *arguments, env=env) == 0
    log = open_run(run)
    assert log.state.name == "finished"
    assert log.column("iteration").values.tolist() == [1, 2, 3, 4]
    return log


def _not_finite(log: Run, iteration: int) -> set[str]:
    """Columns of a row that hold a number which is not finite."""
    columns = {name: log.column(name) for name, type_ in log.types.items() if type_ == "float64"}
    return {
        name
        for name, column in columns.items()
        if column.present[iteration - 1] and not math.isfinite(column.values[iteration - 1])
    }


def test_reward_of_nan_is_logged_and_one_iteration_learns_nothing(tmp_path: Path) -> None:
    log = _trained(tmp_path / "run", "--env-arg=does=nan-reward")  # in iteration 2
    outcomes = log.column("update_outcome").values.tolist()
    assert outcomes == ["accepted", "skipped-non-finite", "accepted", "accepted"]
    assert {"reward_mean", "reward_train_mean", "advantage_raw_std"} <= _not_finite(log, 2)
    assert "policy_parameter_norm" not in _not_finite(log, 2) | _not_finite(log, 3)
    assert not {"reward_mean", "advantage_raw_std", "value_loss"} & _not_finite(log, 3)


def test_observation_of_nan_does_not_reach_the_parameters(tmp_path: Path) -> None:
    log = _trained(tmp_path / "run", "--env-arg=does=nan-observation", "--env-arg=at=30")
    outcomes = log.column("update_outcome").values.tolist()
    assert outcomes[1] == "skipped-non-finite"
    assert outcomes[2:] == ["accepted", "accepted"]
    assert not _not_finite(log, 4) & {"policy_parameter_norm", "value_loss", "observation_std_max"}


def test_environment_that_raises_seals_the_log_with_its_place(
    tmp_path: Path,
) -> None:
    with pytest.raises(FloatingPointError) as caught:
        _train(tmp_path / "run", "--env-arg=does=raise")
    log = open_run(tmp_path / "run")
    assert log.state.name == "crashed"
    assert log.column("iteration").values.tolist() == [1]
    reason = log.state.reason or ""
    assert reason.startswith(
        "FloatingPointError: the motor burnt out"
        f" (raised by environment 2 of 4, in step {40 - 8 - STEPS} of {STEPS} of the batch, in iteration 2)"
    )
    assert caught.value.__notes__[-1] == f"go on with trpo-tui train --resume {tmp_path / 'run'}"


def test_environment_that_never_ends_an_episode_has_no_returns(tmp_path: Path) -> None:
    log = _trained(tmp_path / "run", env="Endless-v0")
    assert not log.column("episode_return_mean").present.any()
    assert log.column("episodes").values.tolist() == [0] * 4
    assert set(log.column("update_outcome").values) == {"accepted"}
    assert not any(log.column(name).values.any() for name in ("episodes_truncated", "episodes"))


def test_environment_that_ends_every_episode_at_once_is_learnt_from(tmp_path: Path) -> None:
    log = _trained(tmp_path / "run", "--env-arg=does=ends-at-once")
    assert log.column("episodes_terminated").values.tolist() == [64] * 4
    assert set(log.column("episode_length_mean").values) == {1.0}


def test_discrete_actions_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(tmp_path / "run", "--env-arg=does=discrete") == 2
    assert "Discrete(3): TRPO here needs continuous actions" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_actions_without_bounds_arrive_as_they_were_drawn(tmp_path: Path) -> None:
    log = _trained(tmp_path / "run", "--env-arg=bound=Infinity", "--log-std=2")
    assert max(Hostile.seen) > 10
    for name in ("action_clip_fraction", "action_mean_clip_fraction"):
        assert log.column(name).values.tolist() == [0.0] * 4
    assert not any(_not_finite(log, iteration) for iteration in range(1, 5))


def test_actions_are_held_to_their_bounds(tmp_path: Path) -> None:
    log = _trained(tmp_path / "run", "--env-arg=bound=0.5")
    assert max(Hostile.seen) == 0.5
    assert 0.5 < min(log.column("action_clip_fraction").values) < 1


@pytest.mark.parametrize("sees", ["dict", "integer", "bytes", "integers"])
def test_observations_that_are_no_list_of_numbers_are_flattened(tmp_path: Path, sees: str) -> None:
    log = _trained(tmp_path / "run", f"--env-arg=sees={sees}")
    dims = {"dict": 6, "integer": 5, "bytes": 4, "integers": 7}
    assert log.metadata["observation_dim"] == dims[sees]
    assert set(log.column("update_outcome").values) == {"accepted"}
