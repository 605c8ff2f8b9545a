"""Real output of OpenAI baselines' trpo_mpi: `python baselines_logs.py FOLDER [zero|failing]`.

Python 3.6, TensorFlow 1.14, baselines 0.1.5. `zero`: every reward 0; `failing`: a trust region of
1e-9, smaller than the search can meet.
"""

import os
import sys

os.environ["OPENAI_LOG_FORMAT"] = "stdout,csv,json,log"
os.environ["OPENAI_LOGDIR"] = sys.argv[1]

import gym
from baselines import bench, logger
from baselines.common.misc_util import set_global_seeds
from baselines.ppo1.mlp_policy import MlpPolicy
from baselines.trpo_mpi import trpo_mpi


class Zero(gym.RewardWrapper):
    """No reward at all."""

    def reward(self, _reward):
        """Nothing."""
        return 0.0


def policy(name, ob_space, ac_space):
    """Two layers of 32."""
    return MlpPolicy(name=name, ob_space=ob_space, ac_space=ac_space, hid_size=32, num_hid_layers=2)


if __name__ == "__main__":
    from baselines.common import tf_util

    tf_util.make_session(num_cpu=1).__enter__()
    logger.configure()
    set_global_seeds(0)
    env = gym.make("Pendulum-v0")
    if "zero" in sys.argv:
        env = Zero(env)
    env = bench.Monitor(env, sys.argv[1] + "/0", allow_early_resets=True)
    trpo_mpi.learn(
        env, policy, timesteps_per_batch=1024, max_kl=1e-9 if "failing" in sys.argv else 0.01,
        cg_iters=10, cg_damping=0.1, max_timesteps=12_000, gamma=0.99, lam=0.98, vf_iters=5, vf_stepsize=1e-3,
    )  # fmt: skip
