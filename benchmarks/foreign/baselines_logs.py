"""Real output of OpenAI baselines: `python baselines_logs.py trpo|ppo2 FOLDER [FAULT]`.

Python 3.6, TensorFlow 1.14, baselines 0.1.5. FAULT is `zero` (every reward 0), `one-action` (TRPO
with one action to choose from: no gradient) or `constant` (TRPO: every observation and reward the
same, so that the advantages have no spread).
"""

import os
import sys

os.environ["OPENAI_LOG_FORMAT"] = "stdout,csv,json,log"
os.environ["OPENAI_LOGDIR"] = sys.argv[2]

import gym  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from baselines import bench, logger  # noqa: E402
from baselines.common import set_global_seeds  # noqa: E402


class Fault(gym.Wrapper):
    """Pendulum without reward, without spread, or without a choice."""

    def __init__(self, env, kind):
        super().__init__(env)
        self.kind = kind
        if kind == "one-action":
            self.action_space = gym.spaces.Discrete(1)

    def reset(self):
        """The first observation."""
        return self.seen(self.env.reset())

    def step(self, action):
        """One step of the spoilt task."""
        observation, reward, done, info = self.env.step([0.0] if self.kind == "one-action" else action)
        return self.seen(observation), {"zero": 0.0, "constant": 1.0}.get(self.kind, reward), done, info

    def seen(self, observation):
        """What the policy sees."""
        return np.ones(3) if self.kind == "constant" else observation


def make():
    """The task, spoilt as the command line says."""
    env = gym.make("Pendulum-v0")
    env.seed(1)
    return bench.Monitor(Fault(env, sys.argv[3]) if len(sys.argv) > 3 else env, None)


def trpo():
    """The settings of baselines' own run_mujoco.py."""
    from baselines.ppo1.mlp_policy import MlpPolicy
    from baselines.trpo_mpi import trpo_mpi

    def policy(name, ob_space, ac_space):
        return MlpPolicy(name, ob_space, ac_space, hid_size=32, num_hid_layers=2)

    trpo_mpi.learn(
        make(), policy, timesteps_per_batch=1024, max_kl=0.01, cg_iters=10, cg_damping=0.1,
        max_timesteps=12_000, gamma=0.99, lam=0.98, vf_iters=5, vf_stepsize=1e-3,
    )  # fmt: skip


def ppo2():
    """The settings of baselines' own run_mujoco.py."""
    from baselines.common.vec_env.dummy_vec_env import DummyVecEnv
    from baselines.common.vec_env.vec_normalize import VecNormalize
    from baselines.ppo2 import ppo2 as algorithm
    from baselines.ppo2.policies import MlpPolicy

    algorithm.learn(
        policy=MlpPolicy, env=VecNormalize(DummyVecEnv([make])), nsteps=1024, nminibatches=32,
        lam=0.95, gamma=0.99, noptepochs=10, log_interval=1, ent_coef=0.0, lr=3e-4,
        cliprange=0.2, total_timesteps=24_000,
    )  # fmt: skip


if __name__ == "__main__":
    logger.configure()
    set_global_seeds(1)
    tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)).__enter__()
    {"trpo": trpo, "ppo2": ppo2}[sys.argv[1]]()
