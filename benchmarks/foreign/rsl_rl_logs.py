"""Real output of rsl_rl's PPO: `python rsl_rl_logs.py FOLDER` (prints blocks, writes TensorBoard events)."""

import sys

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict


class PointMass(VecEnv):
    """64 points on a line, paid for being near 0; episodes of 100 steps."""

    def __init__(self) -> None:
        self.num_envs, self.num_actions, self.max_episode_length = 64, 1, 100
        self.device, self.cfg = "cpu", {}
        self.episode_length_buf = torch.zeros(64, dtype=torch.long)
        self.state = torch.randn(64, 2)

    def get_observations(self) -> TensorDict:
        """Position and velocity."""
        return TensorDict({"policy": self.state.clone()}, batch_size=[64])

    def reset(self) -> tuple[TensorDict, dict]:
        """Everywhere anew."""
        self.state = torch.randn(64, 2)
        return self.get_observations(), {}

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        """One step of 0.1 s."""
        push = actions[:, 0].clamp(-2, 2)
        self.state[:, 1] += 0.1 * push
        self.state[:, 0] += 0.1 * self.state[:, 1]
        position = -self.state[:, 0].abs()
        effort = -0.01 * push**2
        self.episode_length_buf += 1
        done = self.episode_length_buf >= self.max_episode_length
        log = {"Episode_Reward/position": position.mean(), "Episode_Reward/effort": effort.mean()}
        self.state[done] = torch.randn(int(done.sum()), 2)
        self.episode_length_buf[done] = 0
        extras = {"time_outs": done.clone(), "log": log}
        return self.get_observations(), position + effort, done.long(), extras


NETWORK = {
    "class_name": "MLPModel",
    "hidden_dims": [32, 32],
    "activation": "elu",
    "obs_normalization": False,
}
SETTINGS = {
    "num_steps_per_env": 24, "save_interval": 1000, "logger": "tensorboard", "run_name": "",
    "experiment_name": "point", "seed": 1, "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
    "actor": {**NETWORK, "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0, "std_type": "scalar"}},
    "critic": NETWORK,
    "algorithm": {
        "class_name": "PPO", "value_loss_coef": 1.0, "clip_param": 0.2, "use_clipped_value_loss": True,
        "desired_kl": 0.01, "entropy_coef": 0.01, "gamma": 0.99, "lam": 0.95, "max_grad_norm": 1.0,
        "learning_rate": 1e-3, "num_learning_epochs": 5, "num_mini_batches": 4, "schedule": "adaptive",
    },
}  # fmt: skip

if __name__ == "__main__":
    torch.manual_seed(1)
    runner = OnPolicyRunner(PointMass(), SETTINGS, log_dir=sys.argv[1], device="cpu")
    runner.learn(num_learning_iterations=30)
