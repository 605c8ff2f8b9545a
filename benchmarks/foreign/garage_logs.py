"""Real output of garage's TRPO: `python garage_logs.py FOLDER` (Python 3.8, garage 2021.3, torch 1.7)."""

import sys

import torch
from garage import wrap_experiment
from garage.envs import GymEnv
from garage.experiment.deterministic import set_seed
from garage.sampler import LocalSampler
from garage.torch.algos import TRPO
from garage.torch.policies import GaussianMLPPolicy
from garage.torch.value_functions import GaussianMLPValueFunction
from garage.trainer import Trainer


@wrap_experiment(
    log_dir=sys.argv[1], snapshot_mode="none", use_existing_dir=True, archive_launch_repo=False
)
def trpo_pendulum(ctxt=None):
    """Twelve epochs of 2,000 steps."""
    set_seed(1)
    env = GymEnv("Pendulum-v0", max_episode_length=200)
    policy = GaussianMLPPolicy(env.spec, hidden_sizes=[32, 32], hidden_nonlinearity=torch.tanh)
    value_function = GaussianMLPValueFunction(env_spec=env.spec, hidden_sizes=(32, 32))
    sampler = LocalSampler(agents=policy, envs=env, max_episode_length=200)
    trainer = Trainer(ctxt)
    algorithm = TRPO(
        env_spec=env.spec,
        policy=policy,
        value_function=value_function,
        sampler=sampler,
        discount=0.99,
    )
    trainer.setup(algorithm, env)
    trainer.train(n_epochs=12, batch_size=2000)


if __name__ == "__main__":
    trpo_pendulum()
