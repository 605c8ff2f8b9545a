"""Real output of OpenAI baselines: `python baselines_logs.py trpo|ppo2 FOLDER [FAULT]`.

Python 3.6, TensorFlow 1.14, baselines 0.1.5. FAULT is `zero` (every reward 0), `failing` (a trust
region of 1e-9, smaller than the search can meet) or `one-action` (one action to choose from: no
gradient).
"""

import os
import sys

os.environ["OPENAI_LOG_FORMAT"] = "stdout,csv,json,log"
os.environ["OPENAI_LOGDIR"] = sys.argv[2]

import gym
import tensorflow as tf
from baselines import bench, logger
from baselines.common import set_global_seeds


class Zero(gym.RewardWrapper):
    """No reward at all."""

    def reward(self, _reward):
        """Nothing."""
        return 0.0


class OneAction(gym.ActionWrapper):
    """Nothing to choose: every action is no torque."""

    def __init__(self, env):
        super().__init__(env)
        self.action_space = gym.spaces.Discrete(1)

    def action(self, _action):
        """No torque."""
        return [0.0]


class Again(gym.Wrapper):
    """Begins the next episode by itself, which this version's DummyVecEnv does not."""

    def step(self, action):
        """One step; the first observation of the next episode after the last one."""
        observation, reward, done, info = self.env.step(action)
        return self.env.reset() if done else observation, reward, done, info


def make():
    """The task, spoilt as the command line says."""
    env = gym.make("Pendulum-v0")
    wrapper = {"zero": Zero, "one-action": OneAction}.get(sys.argv[-1])
    return bench.Monitor(wrapper(env) if wrapper else env, sys.argv[2] + "/0")


def trpo():
    """The settings of baselines' own run_mujoco.py."""
    from baselines.ppo1.mlp_policy import MlpPolicy
    from baselines.trpo_mpi import trpo_mpi

    def policy(name, ob_space, ac_space):
        return MlpPolicy(name, ob_space, ac_space, hid_size=32, num_hid_layers=2)

    trpo_mpi.learn(
        make(), policy, timesteps_per_batch=1024, max_kl=1e-9 if "failing" in sys.argv else 0.01,
        cg_iters=10, cg_damping=0.1, max_timesteps=12_000, gamma=0.99, lam=0.98, vf_iters=5,
        vf_stepsize=1e-3,
    )  # fmt: skip


def ppo2():
    """The settings of baselines' own run_mujoco.py, without its normaliser."""
    from baselines.common.vec_env.dummy_vec_env import DummyVecEnv
    from baselines.ppo2 import ppo2 as algorithm
    from baselines.ppo2.policies import MlpPolicy

    algorithm.learn(
        policy=MlpPolicy, env=DummyVecEnv([lambda: Again(make())]), nsteps=1024, nminibatches=32,
        lam=0.95, gamma=0.99, noptepochs=10, log_interval=1, ent_coef=0.0, lr=3e-4,
        cliprange=0.2, total_timesteps=24_000,
    )  # fmt: skip


if __name__ == "__main__":
    logger.configure()
    set_global_seeds(0)
    tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)).__enter__()
    {"trpo": trpo, "ppo2": ppo2}[sys.argv[1]]()
