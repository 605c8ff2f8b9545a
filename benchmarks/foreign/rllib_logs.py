"""Real output of RLlib's PPO under Tune: `python rllib_logs.py FOLDER` (result.json, progress.csv, events)."""

import sys
from pathlib import Path

from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig

if __name__ == "__main__":
    config = PPOConfig().environment("CartPole-v1").env_runners(num_env_runners=0).debugging(seed=0)
    tune.Tuner(
        "PPO",
        param_space=config,
        run_config=tune.RunConfig(
            storage_path=str(Path(sys.argv[1]).resolve()), stop={"training_iteration": 8}, verbose=1
        ),
    ).fit()
