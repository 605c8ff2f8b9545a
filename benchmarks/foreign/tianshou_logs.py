"""Real output of tianshou's TRPO: `python tianshou_logs.py FOLDER [tiny]` (benchmarks/peers/tianshou.txt).

Prints tqdm's bars and writes TensorBoard events; `tiny` asks for a KL of at most 1e-9.
"""

import sys

import gymnasium
import torch
from tianshou.algorithm import TRPO
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OnPolicyTrainerParams
from tianshou.utils import TensorboardLogger
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from torch.distributions import Independent, Normal
from torch.utils.tensorboard import SummaryWriter

if __name__ == "__main__":
    torch.manual_seed(0)
    task = gymnasium.make("Pendulum-v1")
    net = {
        "state_shape": task.observation_space.shape,
        "hidden_sizes": [64, 64],
        "activation": torch.nn.Tanh,
    }
    actor = ContinuousActorProbabilistic(
        preprocess_net=Net(**net), action_shape=task.action_space.shape, unbounded=True
    )
    algorithm = TRPO(
        policy=ProbabilisticActorPolicy(
            actor=actor, dist_fn=lambda both: Independent(Normal(*both), 1), action_space=task.action_space
        ),
        critic=ContinuousCritic(preprocess_net=Net(**net)),
        optim=AdamOptimizerFactory(lr=1e-3),
        max_kl=1e-9 if "tiny" in sys.argv else 0.01,
        optim_critic_iters=20,
    )  # fmt: skip
    tasks = DummyVectorEnv([lambda: gymnasium.make("Pendulum-v1") for _ in range(4)])
    result = algorithm.run_training(
        OnPolicyTrainerParams(
            training_collector=Collector(algorithm, tasks, VectorReplayBuffer(2048, 4)),
            max_epochs=4,
            epoch_num_steps=6144,
            collection_step_num_env_steps=2048,
            batch_size=None,
            logger=TensorboardLogger(SummaryWriter(sys.argv[1]), update_interval=1),
        )
    )
    print(result)
