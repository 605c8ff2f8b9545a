"""A small environment for Stable-Baselines3, and trainers small enough for a test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit
from sb3_contrib import TRPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

from runlog import open_run
from runlog.run import Run
from runlog.sb3 import RunLogCallback

Reward = Callable[[np.ndarray, float], float]
BOX = spaces.Box(-2.0, 2.0, (2,), np.float32)


def distance(position: np.ndarray, action: float) -> float:
    return 1.0 - float(position @ position) - 0.1 * action


def failing(at: int, error: BaseException) -> Reward:
    """The usual reward, and that error at step `at`."""
    calls = iter(range(10**9))

    def reward(position: np.ndarray, action: float) -> float:
        if next(calls) == at:
            raise error
        return distance(position, action)

    return reward


class Toy(gymnasium.Env[Any, Any]):
    """A point pushed about: it should stay near 0, and the episode ends where it leaves a ball."""

    def __init__(
        self, action_space: spaces.Space[Any] = BOX, reward: Reward = distance, edge: float = 1.5
    ) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float32)
        self.action_space = action_space
        self._reward, self._edge = reward, edge

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._position = self.np_random.normal(0.0, 0.3, 3)
        return self._position.astype(np.float32), {}

    def step(self, action: Any) -> Any:
        push = float(np.mean(action))
        self._position = self._position + 0.1 * push + self.np_random.normal(0.0, 0.1, 3)
        reward = self._reward(self._position, push)
        terminated = bool(np.abs(self._position).max() > self._edge)
        return self._position.astype(np.float32), reward, terminated, False, {}


def toy(steps: int = 25, **settings: Any) -> Callable[[], gymnasium.Env[Any, Any]]:
    return lambda: TimeLimit(Toy(**settings), steps)


def trpo(environments: int = 1, *, seed: int = 0, **settings: Any) -> TRPO:
    """A TRPO whose iteration is 128 steps."""
    env = settings.pop("env", None) or make_vec_env(toy(**settings.pop("toy", {})), environments)
    sizes = {"n_steps": 128 // environments, "batch_size": 64, "n_critic_updates": 3}
    net = {"net_arch": [16, 16]}
    return TRPO("MlpPolicy", env, seed=seed, policy_kwargs=net, **(sizes | settings))


def ppo(environments: int = 1, **settings: Any) -> PPO:
    env = make_vec_env(toy(**settings.pop("toy", {})), environments)
    sizes = {"n_steps": 128 // environments, "batch_size": 128, "n_epochs": 1}
    return PPO("MlpPolicy", env, seed=0, **(sizes | settings))


def a2c(environments: int = 1, **settings: Any) -> A2C:
    env = make_vec_env(toy(), environments)
    return A2C("MlpPolicy", env, seed=0, n_steps=128 // environments, **settings)


def logged(model: Any, folder: Path, iterations: int = 3, *others: BaseCallback) -> Run:
    """The log of a short training; `others` are called after the log."""
    total = iterations * model.n_steps * model.n_envs
    model.learn(total, callback=[RunLogCallback(folder / "run"), *others], log_interval=None)
    return open_run(folder / "run")


def rows_of(run: Run) -> list[dict[str, Any]]:
    """The rows as dictionaries, null columns left out."""
    rows: list[dict[str, Any]] = [{} for _ in range(len(run))]
    for name, type_ in run.types.items():
        if type_.startswith("list"):
            column = run.lists(name)
            values, present = [column[i] for i in range(len(run))], column.present
        else:
            single = run.column(name)
            values, present = list(single.values), single.present
        for row, value, there in zip(rows, values, present, strict=True):
            if there:
                row[name] = value
    return rows
