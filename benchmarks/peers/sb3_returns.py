"""One TRPO run of sb3-contrib with RL Zoo's settings, in an environment that has sb3-contrib.

python benchmarks/peers/sb3_returns.py HalfCheetah-v5 100 1000000 FOLDER [ENVIRONMENTS]

FOLDER gets what the peer itself writes (log.txt: its printed tables, progress.csv, a TensorBoard
file) and result.json. Settings: rl-baselines3-zoo, hyperparams/trpo.yml, the MuJoCo entries (v4): 2
environments × 1024 steps a batch. Another number of environments shares the same batch out.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import gymnasium
import numpy as np
import torch
from sb3_contrib import TRPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecNormalize

ZOO = {
    "batch_size": 128,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "sub_sampling_factor": 1,
    "cg_max_steps": 25,
    "cg_damping": 0.1,
    "n_critic_updates": 20,
    "learning_rate": 1e-3,
}
OF_TASK = {"HalfCheetah-v5": {"target_kl": 0.04}, "Swimmer-v5": {"gamma": 0.9999}}
BATCH = 2048
EPISODES, FIRST_EPISODE = 20, 1_000_000
"""Episodes of the evaluation and the seed of the first one, the same for every agent."""


def main(task: str, seed: int, steps: int, folder: Path, environments: int = 2) -> None:
    """Train, evaluate the final parameters, write what came out."""
    torch.set_num_threads(1)
    settings = ZOO | OF_TASK.get(task, {}) | {"n_steps": BATCH // environments}
    worlds = VecNormalize(
        make_vec_env(task, n_envs=environments, seed=seed), gamma=settings["gamma"]
    )
    model = TRPO("MlpPolicy", worlds, seed=seed, device="cpu", **settings)
    model.set_logger(configure(str(folder), ["log", "csv", "tensorboard"]))
    begun = time.perf_counter()
    model.learn(steps)
    seconds = time.perf_counter() - begun

    returns = []
    world = gymnasium.make(task)
    for episode in range(EPISODES):
        observation, _ = world.reset(seed=FIRST_EPISODE + episode)
        total, over = 0.0, False
        while not over:
            seen = worlds.normalize_obs(observation)  # with the moments of the end of the training
            action, _ = model.predict(seen, deterministic=True)
            observation, reward, terminated, truncated, _ = world.step(action)
            total += float(reward)
            over = terminated or truncated
        returns.append(total)
    result = {
        "agent": "sb3-contrib",
        "task": task,
        "seed": seed,
        "steps": model.num_timesteps,
        "returns": [round(value, 3) for value in returns],
        "seconds": round(seconds, 1),
        "settings": {**settings, "n_envs": environments, "normalize": True},
        "versions": {
            name: version(name) for name in ("sb3-contrib", "torch", "gymnasium", "mujoco", "numpy")
        },
    }
    (folder / "result.json").write_text(json.dumps(result) + "\n")
    print(task, seed, f"{np.mean(returns):.1f} ± {np.std(returns):.1f}", f"{seconds:.0f} s")


if __name__ == "__main__":
    main(
        sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), *map(int, sys.argv[5:])
    )
