"""Real output of MushroomRL's TRPO: `python mushroom_logs.py FOLDER` (mushroom-rl 1.10.2)."""

import sys

import numpy as np
import torch
from mushroom_rl.algorithms.actor_critic import TRPO
from mushroom_rl.core import Core, Logger
from mushroom_rl.environments import InvertedPendulum
from mushroom_rl.policy import GaussianTorchPolicy
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    """Two layers of 32."""

    def __init__(self, input_shape, output_shape, **_kwargs):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(input_shape[-1], 32), nn.Tanh(), nn.Linear(32, output_shape[0])
        )

    def forward(self, state, **_kwargs):
        """The mean, or the value."""
        return self.body(torch.squeeze(state, 1).float())


if __name__ == "__main__":
    np.random.seed(1)  # noqa: NPY002 MushroomRL draws from it
    torch.manual_seed(1)
    mdp = InvertedPendulum()
    logger = Logger("trpo", results_dir=sys.argv[1], log_console=True)
    policy = GaussianTorchPolicy(
        Network, mdp.info.observation_space.shape, mdp.info.action_space.shape, std_0=1.0
    )
    critic = {
        "network": Network,
        "optimizer": {"class": torch.optim.Adam, "params": {"lr": 3e-3}},
        "loss": functional.mse_loss,
        "input_shape": mdp.info.observation_space.shape,
        "output_shape": (1,),
        "batch_size": 64,
    }
    agent = TRPO(mdp.info, policy, critic, max_kl=0.01, lam=0.95)
    agent.set_logger(logger)
    core = Core(agent, mdp)
    for epoch in range(4):
        core.learn(n_steps=6000, n_steps_per_fit=2000, quiet=True)
        dataset = core.evaluate(n_episodes=5, quiet=True)
        logger.epoch_info(epoch, R=float(np.mean([step[2] for step in dataset])))
