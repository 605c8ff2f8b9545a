"""Frameworks known by their files alone, one literal each: what their keys mean."""

import math
from collections.abc import Mapping, Sequence

from runlog.importers.formats.format import Cells, Format, Key, Said, keys
from runlog.importers.printed import Printed

CLEANRL = Format(
    name="cleanrl",
    algorithm="ppo",
    step="timesteps",
    own=frozenset(("charts/episodic_return", "losses/policy_loss", "losses/approx_kl")),
    silent=frozenset(("charts/learning_rate", "losses/clipfrac", "losses/old_approx_kl")),
    keys=keys(
        {
            "charts/episodic_return": "episode_return_mean",
            "charts/episodic_length": "episode_length_mean",
            "charts/SPS": "steps_per_second",
            "losses/policy_loss": "policy_loss",
            "losses/value_loss": Key("value_loss_after", factor=2.0),
            "losses/entropy": "entropy",
            "losses/approx_kl": "kl",
            "losses/explained_variance": "explained_variance",
        }
    ),
    assumptions=(
        "CleanRL's policy loss, KL and entropy are those of the update's last minibatch.",
        "Its value loss is half the mean squared error of that minibatch and was doubled.",
        "Returns are of the episodes that ended since the update before.",
    ),
)


def _without_episodes(cells: Cells, _: Sequence[Said]) -> Mapping[str, Printed | None]:
    """Mean return and mean length NaN: no episode has ended, nothing was computed."""
    means = [cells[name].number for name in _EPISODES if name in cells]
    if len(means) == len(_EPISODES) and all(map(math.isnan, means)):
        return dict.fromkeys((*_EPISODES, "episode_return_min", "episode_return_max"))
    return {}


_EPISODES = ("episode_return_mean", "episode_length_mean")
_RLLIB = {
    "training_iteration": "iteration",
    "timesteps_total": "timesteps",
    "num_env_steps_sampled_lifetime": "timesteps",
    "episodes_total": "episodes",
    "timestamp": "time",
    # the old API stack
    "episode_reward_mean": "episode_return_mean",
    "episode_reward_min": "episode_return_min",
    "episode_reward_max": "episode_return_max",
    "episode_len_mean": "episode_length_mean",
    "info/learner/*/learner_stats/policy_loss": "policy_loss",
    "info/learner/*/learner_stats/vf_loss": "value_loss_after",
    "info/learner/*/learner_stats/vf_explained_var": "explained_variance_after",
    "info/learner/*/learner_stats/kl": "kl",
    "info/learner/*/learner_stats/entropy": "entropy",
    "info/learner/*/learner_stats/grad_gnorm": "gradient_norm",
    # the new one
    "env_runners/episode_return_mean": "episode_return_mean",
    "env_runners/episode_return_min": "episode_return_min",
    "env_runners/episode_return_max": "episode_return_max",
    "env_runners/episode_len_mean": "episode_length_mean",
    "learners/*/policy_loss": "policy_loss",
    "learners/*/vf_loss_unclipped": "value_loss_after",
    "learners/*/vf_explained_var": "explained_variance_after",
    "learners/*/mean_kl_loss": "kl",
    "learners/*/entropy": "entropy",
    "learners/*/gradients_default_optimizer_global_norm": "gradient_norm",
}
RLLIB = Format(
    name="rllib",
    step="timesteps",
    own=frozenset(("training_iteration", "ray/tune/training_iteration")),
    finish=_without_episodes,
    keys=keys(_RLLIB | {f"ray/tune/{key}": column for key, column in _RLLIB.items()}),
    assumptions=(
        "Losses, KL and entropy are means over the update's minibatches in RLlib's old API stack, "
        "those of its last minibatch in the new one.",
    ),
)

_TRL = {
    "loss": "policy_loss_before",
    "grad_norm": "gradient_norm",
    "reward": "episode_return_mean",
    "reward_std": "episode_return_std",
    "completions/mean_length": "episode_length_mean",
    "num_tokens": "timesteps",
    "entropy": "entropy",
}
TRL = Format(
    name="trl",
    algorithm="grpo",
    step="iteration",
    own=frozenset(("frac_reward_zero_std", "train/frac_reward_zero_std", "reward_std")),
    keys=keys(_TRL | {f"train/{key}": column for key, column in _TRL.items()}),
    assumptions=(
        "A reward is a completion's, a step a token.",
        "The loss is taken before the step, where the ratio is 1.",
        "TRL's kl is that to the reference model, not to the policy before the step; left out.",
    ),
)

CHAINERRL = Format(
    name="chainerrl",
    algorithms={"average_policy_step_size": "trpo", "average_policy_loss": "ppo"},
    own=frozenset(("average_value", "average_entropy", "average_kl")),
    silent=frozenset(("elapsed", "median", "n_updates")),
    keys=keys(
        {
            "steps": "timesteps",
            "episodes": "episodes",
            "mean": "episode_return_mean",
            "stdev": "episode_return_std",
            "max": "episode_return_max",
            "min": "episode_return_min",
            "average_value": "value_mean",
            "average_entropy": "entropy",
            "average_kl": "kl",
            "average_policy_step_size": "step_fraction",
            "average_policy_loss": "policy_loss",
            "average_value_loss": "value_loss_after",
            "explained_variance": "explained_variance",
        }
    ),
    assumptions=(
        "A row is an evaluation; its returns are those of evaluation episodes.",
        "Averages are over the last updates, at most 100, or the last 1,000 steps; KL is that of "
        "accepted steps alone.",
    ),
)

SKRL = Format(
    name="skrl",
    step="timesteps",
    own=frozenset(("reward / total reward (mean)", "loss / policy loss")),
    silent=frozenset(
        (
            "stats / inference time (ms)",
            "stats / env stepping time (ms)",
            "stats / algorithm update time (ms)",
            "episode / total timesteps (max)",
            "episode / total timesteps (min)",
            "learning / value learning rate",
            "loss / policy loss",  # before the step in one algorithm, in the middle of it in others
        )
    ),
    keys=keys(
        {
            "Reward / Total reward (mean)": "episode_return_mean",
            "Reward / Total reward (min)": "episode_return_min",
            "Reward / Total reward (max)": "episode_return_max",
            "Reward / Instantaneous reward (mean)": "reward_mean",
            "Reward / Instantaneous reward (min)": "reward_min",
            "Reward / Instantaneous reward (max)": "reward_max",
            "Episode / Total timesteps (mean)": "episode_length_mean",
            "Loss / Value loss": "value_loss_after",
            "Policy / Standard deviation": Key("log_std_mean", log=True),
        }
    ),
    assumptions=(
        "Returns and lengths are means of the last 100 episodes.",
        "The mean log std is the logarithm of the mean std.",
    ),
)

TIANSHOU = Format(
    name="tianshou",
    step="timesteps",
    own=frozenset(("training/returns_stat/mean",)),
    keys=keys(
        {
            "training/env_step": "timesteps",
            "training/n_collected_steps": "batch_size",
            "training/returns_stat/mean": "episode_return_mean",
            "training/returns_stat/std": "episode_return_std",
            "training/returns_stat/min": "episode_return_min",
            "training/returns_stat/max": "episode_return_max",
            "training/lens_stat/mean": "episode_length_mean",
        }
    ),
)

FILE_FORMATS = (CLEANRL, RLLIB, TRL, CHAINERRL, SKRL, TIANSHOU)
"""In the order asked; the first of those that know equally many keys is taken."""
