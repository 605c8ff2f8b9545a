"""Times of sb3-contrib's TRPO, in an environment that has sb3-contrib.

python benchmarks/peers/sb3_speed.py HalfCheetah-v5 ENVIRONMENTS ITERATIONS → one line of JSON

Batch, network, conjugate gradient and value fit are those of this project's defaults; nothing is
normalised and nothing is logged.
"""

import json
import sys
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from sb3_contrib import TRPO
from stable_baselines3.common.env_util import make_vec_env

BATCH, WARM_UP = 2048, 3


class Timed(TRPO):
    """Keeps the seconds of each phase: sampling, update, and its conjugate gradient and value fit."""

    def collect_rollouts(self, *args: Any, **kwargs: Any) -> bool:
        """Sample, on the clock."""
        begun = time.perf_counter()
        going = super().collect_rollouts(*args, **kwargs)
        self.clock.setdefault("sampling", []).append(time.perf_counter() - begun)
        return going

    def train(self) -> None:
        """Update, on the clock; the value fit begins with the first minibatch."""
        minibatches: list[float] = []
        get, product = self.rollout_buffer.get, self.hessian_vector_product
        products = []

        def timed_get(batch_size: int | None) -> Any:
            if batch_size is not None:
                minibatches.append(time.perf_counter())
            return get(batch_size)

        def timed_product(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            found = product(*args, **kwargs)
            products.append(time.perf_counter() - begun)
            return found

        self.rollout_buffer.get, self.hessian_vector_product = timed_get, timed_product
        begun = time.perf_counter()
        super().train()
        ended = time.perf_counter()
        self.rollout_buffer.get, self.hessian_vector_product = get, product
        spent = {
            "update": ended - begun,
            "value fit": ended - minibatches[0],
            "Fisher products": sum(products),
        }
        for name, seconds in spent.items():
            self.clock.setdefault(name, []).append(seconds)


def main(task: str, environments: int, iterations: int) -> None:
    """Train for some iterations and print the medians of their phases."""
    torch.set_num_threads(1)
    worlds = make_vec_env(task, n_envs=environments, seed=0)
    Timed.clock = {}
    model = Timed(
        "MlpPolicy",
        worlds,
        seed=0,
        device="cpu",
        n_steps=BATCH // environments,
        batch_size=128,
        gamma=0.99,
        gae_lambda=0.97,
        cg_max_steps=10,
        cg_damping=0.1,
        n_critic_updates=10,
        target_kl=0.01,
    )
    model.learn((iterations + WARM_UP) * BATCH)
    seconds = {name: float(np.median(all_[WARM_UP:])) for name, all_ in Timed.clock.items()}
    per_iteration = np.array(Timed.clock["sampling"]) + np.array(Timed.clock["update"])
    print(
        json.dumps(
            {
                "seconds": seconds,
                "steps_per_second": BATCH / float(np.median(per_iteration[WARM_UP:])),
                "versions": {name: version(name) for name in ("sb3-contrib", "torch")},
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
