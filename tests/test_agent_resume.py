"""A resumed run equals the uninterrupted one, bit for bit, however it was interrupted."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from agent import checkpoint
from agent.__main__ import main
from agent.config import Config
from agent.reproduction import difference
from agent.training import Training
from runlog import open_run
from runlog.run import Run

SMALL = (
    "--steps-per-iteration=96",
    "--environments=3",
    "--warm-up-steps=48",
    "--vf-iters=2",
    "--hidden=16,16",
)
TASKS = ("HalfCheetah-v5", "Hopper-v5", "Own-v0")


class Own(gymnasium.Env[Any, Any]):
    """A noisy point of the user's own, whose state can be stored; it may stop its own process."""

    action_space = Box(-1.0, 1.0, (2,), np.float32)
    observation_space = Box(-np.inf, np.inf, (2,), np.float64)
    signalled = False

    def __init__(self, at: int = 0, sends: str = "") -> None:
        self.at, self.sends, self.steps = at, sends, 0
        self.place = np.zeros(2)
        self.goals: dict[str, Any] = {"path": [np.zeros(2, dtype=np.float32)], "n": 0}

    def save_state(self) -> dict[str, Any]:
        return {"place": self.place, "goals": self.goals, "steps": self.steps}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.place, self.goals, self.steps = state["place"], state["goals"], state["steps"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = self.np_random.normal(size=2)
        self.goals = {"path": [self.np_random.normal(size=2).astype(np.float32)], "n": 0}
        return self.place.copy(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == self.at and not Own.signalled:
            Own.signalled = True
            os.kill(os.getpid(), getattr(signal, self.sends))
        self.place = self.place + 0.1 * action + 0.01 * self.np_random.normal(size=2)
        self.goals["n"] += 1
        if self.goals["n"] % 7 == 0:
            self.goals["path"].append(self.np_random.normal(size=2).astype(np.float32))
        reward = -float(np.abs(self.place - self.goals["path"][-1]).sum())
        return self.place.copy(), reward, bool(abs(self.place[0]) > 2.5), False, {}


@pytest.fixture(autouse=True)
def _own() -> Iterator[None]:
    Own.signalled = False
    gymnasium.register("Own-v0", Own, max_episode_steps=40)
    yield
    del gymnasium.registry["Own-v0"]


def _train(run: Path, *arguments: str, env: str = "Own-v0") -> int:
    return main(["train", f"--env={env}", f"--out={run}", *SMALL, *arguments])


def _theta(run: Path) -> torch.Tensor:
    state = checkpoint.latest(run)[0]
    parts = [
        *state["policy"].values(),
        *(v for v in state["critic"].values() if torch.is_tensor(v)),
    ]
    return torch.cat([part.reshape(-1).double() for part in parts])


def _assert_equal(resumed: Path, whole: Path) -> None:
    one, other = open_run(whole), open_run(resumed)
    assert len(one) == len(other)
    assert difference(one, other) is None
    assert torch.equal(_theta(whole), _theta(resumed))


def _kinds(run: Run) -> list[str]:
    return [event.kind for event in run.events]


@pytest.mark.parametrize("env", TASKS)
@pytest.mark.parametrize("rewards", ["--normalise-rewards", "--no-normalise-rewards"])
def test_snapshot_in_another_training_goes_on_bit_for_bit(
    env: str, rewards: str, tmp_path: Path
) -> None:
    config = Config(
        env=env,
        iterations=6,
        steps_per_iteration=96,
        environments=3,
        warm_up_steps=48,
        vf_iters=2,
        normalise_rewards=rewards == "--normalise-rewards",
    )
    one = Training.from_config(config)
    for _ in range(3):
        next(one)
    path = checkpoint.save(tmp_path, one.snapshot())
    other = Training.from_config(config)
    assert other.restore(checkpoint.load(path)) is None
    for left, right in zip(one, other, strict=True):
        clocked = {"time", "cpu_percent", "memory_mb", "steps_per_second"}
        clocked |= {name for name in left if name.startswith("seconds_")}
        for name in left.keys() - clocked:
            assert repr(left[name]) == repr(right[name]), name
    assert torch.equal(one.policy.theta(), other.policy.theta())
