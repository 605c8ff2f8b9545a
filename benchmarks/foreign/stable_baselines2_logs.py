"""Real output of stable-baselines 2: `python stable_baselines2_logs.py trpo|ppo2|a2c|ppo1 FOLDER [FAULT]`.

Python 3.7, TensorFlow 1.15. FAULT is `zero`: every reward 0.
"""

import os
import sys

os.environ["OPENAI_LOG_FORMAT"] = "stdout,csv,json,log"
os.environ["OPENAI_LOGDIR"] = sys.argv[2]

import gym
from stable_baselines import A2C, PPO1, PPO2, TRPO, logger
from stable_baselines.bench import Monitor


class Zero(gym.RewardWrapper):
    """No reward at all."""

    def reward(self, _reward):
        """Nothing."""
        return 0.0


if __name__ == "__main__":
    logger.configure(sys.argv[2], ["stdout", "csv", "json", "log"])
    env = gym.make("Pendulum-v0")
    if "zero" in sys.argv:
        env = Zero(env)
    env = Monitor(env, None, allow_early_resets=True)
    name = sys.argv[1]
    class_ = {"trpo": TRPO, "ppo2": PPO2, "a2c": A2C, "ppo1": PPO1}[name]
    model = class_("MlpPolicy", env, verbose=1, seed=0)
    model.learn(12_000, log_interval={"a2c": 100, "ppo2": 4}.get(name, 1))
