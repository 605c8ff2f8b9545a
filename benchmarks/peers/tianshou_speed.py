"""Times of tianshou's TRPO, in an environment that has tianshou.

python benchmarks/peers/tianshou_speed.py HalfCheetah-v5 16 ITERATIONS → one line of JSON

Its critic is fitted by 20 steps on the whole batch (its own schedule, no minibatches).
"""

import json
import sys
import time
from importlib.metadata import version

import gymnasium
import numpy as np
import torch
from tianshou.algorithm import TRPO
from tianshou.algorithm.algorithm_base import policy_within_training_step
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from torch.distributions import Independent, Normal

BATCH, WARM_UP = 2048, 3


def main(task: str, environments: int, iterations: int) -> None:
    """Time iterations of sampling and updating and print their medians."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 tianshou draws from it
    world = gymnasium.make(task)
    size = world.observation_space.shape

    def body() -> Net:
        return Net(state_shape=size, hidden_sizes=[64, 64], activation=torch.nn.Tanh)

    actor = ContinuousActorProbabilistic(
        preprocess_net=body(), action_shape=world.action_space.shape, unbounded=True
    )
    algorithm = TRPO(
        policy=ProbabilisticActorPolicy(
            actor=actor,
            dist_fn=lambda both: Independent(Normal(*both), 1),
            action_space=world.action_space,
            action_bound_method="clip",
        ),
        critic=ContinuousCritic(preprocess_net=body()),
        optim=AdamOptimizerFactory(lr=1e-3),
        max_kl=0.01,
        gamma=0.99,
        gae_lambda=0.97,
        optim_critic_iters=20,
        max_batchsize=BATCH,
    )
    worlds = DummyVectorEnv([lambda: gymnasium.make(task) for _ in range(environments)])
    worlds.seed(0)
    buffer = VectorReplayBuffer(BATCH, environments)
    collector = Collector(algorithm, worlds, buffer)
    collector.reset()
    sampling, update = [], []
    for _ in range(iterations + WARM_UP):
        begun = time.perf_counter()
        collector.collect(n_step=BATCH)
        sampled = time.perf_counter()
        algorithm.policy.train()
        with policy_within_training_step(algorithm.policy):
            algorithm.update(buffer=buffer, batch_size=None, repeat=1)
        collector.reset_buffer(keep_statistics=True)
        update.append(time.perf_counter() - sampled)
        sampling.append(sampled - begun)
    phases = {"sampling": sampling[WARM_UP:], "update": update[WARM_UP:]}
    seconds = {name: float(np.median(values)) for name, values in phases.items()}
    print(
        json.dumps(
            {
                "seconds": seconds,
                "steps_per_second": BATCH / sum(seconds.values()),
                "versions": {"tianshou": version("tianshou"), "torch": version("torch")},
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
