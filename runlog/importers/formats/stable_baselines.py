"""Stable-Baselines3 and sb3-contrib: printed boxes, progress.csv and .json, TensorBoard."""

from runlog.importers.formats.format import Format, Key, keys

SB3 = Format(
    name="sb3",
    algorithms={
        "train/is_line_search_success": "trpo",
        "train/clip_range": "ppo",
        "train/policy_loss": "a2c",
    },
    keys=keys(
        {
            "time/iterations": "iteration",
            "time/total_timesteps": "timesteps",
            "rollout/ep_rew_mean": "episode_return_mean",
            "rollout/ep_len_mean": "episode_length_mean",
            "train/policy_objective": Key("policy_loss", -1.0),
            "train/policy_gradient_loss": "policy_loss",
            "train/policy_loss": "policy_loss",
            "train/kl_divergence_loss": "kl",
            "train/approx_kl": "kl",
            "train/entropy_loss": Key("entropy", -1.0),
            "train/std": Key("log_std_mean", log=True),
            "train/value_loss": "value_loss_after",
            "train/explained_variance": "explained_variance",
            "train/is_line_search_success": "line_search_success",
            "train/learning_rate": "vf_lr",
        }
    ),
    silent=frozenset(
        (
            "time/fps",
            "time/time_elapsed",
            "time/episodes",
            "train/n_updates",
            "train/clip_fraction",
            "train/clip_range",
            "train/clip_range_vf",
            "train/loss",
            "rollout/success_rate",
            "rollout/exploration_rate",
        )
    ),
    own=frozenset(
        (
            "time/total_timesteps",
            "time/iterations",
            "rollout/ep_rew_mean",
            "train/is_line_search_success",
            "train/policy_objective",
            "train/policy_gradient_loss",
            "train/kl_divergence_loss",
            "train/entropy_loss",
            "train/approx_kl",
        )
    ),
    sections=True,
    step="timesteps",
    metadata={"kl_direction": "new-old"},
    assumptions=(
        "Training values stand in the block after the update they are of: the first block has none.",
        "sb3-contrib's TRPO averages KL over the action dimensions and takes it from the new policy "
        "to the old; in a failed search it prints 0 and the old objective.",
        "Returns and lengths are means of the last 100 episodes.",
        "The value loss is the mean over the fit's minibatches.",
        "The mean log std is the logarithm of the printed mean std.",
    ),
)
