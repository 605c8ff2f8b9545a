"""Real output of skrl: `python skrl_logs.py trpo|ppo FOLDER` (TensorBoard events; skrl 2.1)."""

import sys

import gymnasium
import torch
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.agents.torch.trpo import TRPO, TRPO_CFG
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
from skrl.trainers.torch import SequentialTrainer
from skrl.utils import set_seed
from torch import nn


class Policy(GaussianMixin, Model):
    """A Gaussian with two layers of 64."""

    def __init__(self, env):
        Model.__init__(
            self,
            observation_space=env.observation_space,
            action_space=env.action_space,
            device=env.device,
        )
        GaussianMixin.__init__(self)
        self.net = layers(self.num_observations, self.num_actions)
        self.log_std = nn.Parameter(torch.zeros(self.num_actions))

    def compute(self, inputs, **_role):
        """Mean and spread."""
        return self.net(inputs["observations"]), {"log_std": self.log_std}


class Value(DeterministicMixin, Model):
    """A critic of the same size."""

    def __init__(self, env):
        Model.__init__(
            self,
            observation_space=env.observation_space,
            action_space=env.action_space,
            device=env.device,
        )
        DeterministicMixin.__init__(self)
        self.net = layers(self.num_observations, 1)

    def compute(self, inputs, **_role):
        """The value."""
        return self.net(inputs["observations"]), {}


def layers(inputs: int, outputs: int) -> nn.Sequential:
    """Two hidden layers of 64."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)
    )


if __name__ == "__main__":
    set_seed(1)
    env = wrap_env(gymnasium.make_vec("Pendulum-v1", num_envs=4, vectorization_mode="sync"))
    agent_class, config = {"trpo": (TRPO, TRPO_CFG), "ppo": (PPO, PPO_CFG)}[sys.argv[1]]
    settings = config(rollouts=512)
    settings.experiment.directory, settings.experiment.experiment_name = sys.argv[2], "run"
    settings.experiment.write_interval = 512
    settings.experiment.checkpoint_interval = 0
    agent = agent_class(
        models={"policy": Policy(env), "value": Value(env)},
        memory=RandomMemory(memory_size=512, num_envs=4, device=env.device),
        cfg=settings,
        observation_space=env.observation_space,
        action_space=env.action_space,
        device=env.device,
    )
    SequentialTrainer(cfg={"timesteps": 8192, "headless": True}, env=env, agents=agent).train()
