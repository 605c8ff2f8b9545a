"""Real output of PFRL: `python pfrl_logs.py trpo|ppo FOLDER` (scores.txt and log lines; pfrl 0.4)."""

import logging
import sys

import gymnasium
import pfrl
import torch
from pfrl.agents import PPO, TRPO
from torch import nn


class Old(gymnasium.Wrapper):
    """The interface of gym before 0.26, which PFRL's loop wants."""

    def reset(self, **_kwargs):
        """The observation alone."""
        return self.env.reset()[0].astype("float32")

    def step(self, action):
        """A time limit reads as a wanted reset."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        info["needs_reset"] = truncated
        return observation.astype("float32"), float(reward), terminated, info


def layers(outputs: int) -> list[nn.Module]:
    """Two hidden layers of 64."""
    return [nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]


def make(task: str) -> Old:
    """The task as PFRL wants it."""
    return Old(gymnasium.make(task))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    torch.manual_seed(0)
    head = pfrl.policies.GaussianHeadWithStateIndependentCovariance(
        action_size=1, var_type="diagonal", var_func=lambda x: torch.exp(2 * x), var_param_init=0
    )
    policy, value = nn.Sequential(*layers(1), head), nn.Sequential(*layers(1))
    if sys.argv[1] == "trpo":
        agent = TRPO(
            policy=policy, vf=value, vf_optimizer=torch.optim.Adam(value.parameters(), 1e-3),
            update_interval=2000, max_kl=0.01, conjugate_gradient_max_iter=20,
            conjugate_gradient_damping=1e-1, gamma=0.995, lambd=0.97, vf_epochs=5, entropy_coef=0,
        )  # fmt: skip
    else:
        model = pfrl.nn.Branched(policy, value)
        agent = PPO(model, torch.optim.Adam(model.parameters(), 3e-4), update_interval=2000)
    pfrl.experiments.train_agent_with_evaluation(
        agent=agent, env=make("Pendulum-v1"), eval_env=make("Pendulum-v1"), outdir=sys.argv[2], steps=20_000, eval_n_steps=None,
        eval_n_episodes=3, eval_interval=2000, train_max_episode_len=200, save_best_so_far_agent=False,
    )  # fmt: skip
