"""Real output of Stable-Baselines3: `python sb3_logs.py ALGORITHM ENV FOLDER [FAULT]`.

Writes what SB3's logger writes in every format (progress.csv, progress.json, TensorBoard events,
monitor.csv) into FOLDER and prints its table; FAULT is `constant` (every reward 1), `zero` (every
reward 0), `nan` (a reward that is NaN from step 3,000 on) or `learning-rate` (PPO with 10).
"""

import sys

import gymnasium
from sb3_contrib import TRPO
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor

STEPS = 20_480


class Fault(gymnasium.RewardWrapper):
    """A reward that is constant, zero, or NaN from some step on."""

    def __init__(self, env: gymnasium.Env, kind: str) -> None:
        super().__init__(env)
        self.kind, self.steps = kind, 0

    def reward(self, reward: float) -> float:
        self.steps += 1
        if self.kind == "nan":
            return float("nan") if self.steps > 3000 else reward
        return {"constant": 1.0, "zero": 0.0}[self.kind]


def main(name: str, env_id: str, folder: str, fault: str | None = None) -> None:
    """Train, and leave the logs in the folder."""
    env = gymnasium.make(env_id)
    settings = {}
    if fault == "learning-rate":
        settings["learning_rate"] = 10.0
    elif fault is not None:
        env = Fault(env, fault)
    model = {"trpo": TRPO, "ppo": PPO, "a2c": A2C}[name](
        "MlpPolicy", Monitor(env, folder), seed=0, **settings
    )
    model.set_logger(configure(folder, ["stdout", "csv", "json", "tensorboard"]))
    model.learn(STEPS, log_interval=100 if name == "a2c" else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
