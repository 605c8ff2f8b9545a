"""rsl_rl in all its generations (legged_gym, Isaac Lab), and RLinf."""

from runlog.importers.formats.format import Format, Key, keys

RSL_RL = Format(
    name="rsl-rl",
    algorithm="ppo",
    header="Learning iteration {iteration}",
    keys=keys(
        {
            "Total timesteps": "timesteps",
            "Total steps": "timesteps",
            "Mean reward": "episode_return_mean",
            "Mean total reward": "episode_return_mean",
            "Mean episode length": "episode_length_mean",
            "Surrogate loss": "policy_loss",
            "Mean surrogate loss": "policy_loss",
            "Value function loss": "value_loss_after",
            "Mean value_function loss": "value_loss_after",
            "Mean value loss": "value_loss_after",
            "Mean entropy loss": "entropy",
            "Entropy": "entropy",
            "Mean action noise std": Key("log_std_mean", log=True),
            "Mean action std": Key("log_std_mean", log=True),
            "Steps per second": "steps_per_second",
            "Loss/surrogate": "policy_loss",
            "Loss/value_function": "value_loss_after",
            "Loss/value": "value_loss_after",
            "Loss/entropy": "entropy",
            "Loss/learning_rate": "vf_lr",
            "Policy/mean_noise_std": Key("log_std_mean", log=True),
            "Policy/mean_std": Key("log_std_mean", log=True),
            "Train/mean_reward": "episode_return_mean",
            "Train/mean_episode_length": "episode_length_mean",
            "Perf/total_fps": "steps_per_second",
        }
    ),
    silent=frozenset(
        (
            "computation",
            "collection time",
            "learning time",
            "iteration time",
            "total time",
            "time elapsed",
            "eta",
            "perf/collection time",
            "perf/collection_time",
            "perf/learning_time",
            "train/mean_reward/time",
            "train/mean_episode_length/time",
        )
    ),
    own=frozenset(
        (
            "learning iteration",
            "mean surrogate loss",
            "surrogate loss",
            "mean action noise std",
            "mean action std",
            "loss/surrogate",
        )
    ),
    step="iteration",
    assumptions=(
        "What is called entropy loss is the entropy.",
        "Losses are means over the update's minibatches; the value loss is the clipped one.",
        "The mean log std is the logarithm of the printed mean std.",
        "Returns and lengths are means of the last 100 episodes.",
    ),
)

RLINF = Format(
    name="rlinf",
    keys=keys(
        {
            "env/return": "episode_return_mean",
            "env/episode_len": "episode_length_mean",
            "env/reward": "reward_mean",
            "rollout/returns_mean": "return_mean",
            "rollout/returns_min": "return_min",
            "rollout/returns_max": "return_max",
            "train/actor/policy_loss": "policy_loss",
            "train/actor/approx_kl": "kl",
            "train/actor/grad_norm": "gradient_norm",
            "train/critic/value_loss": "value_loss_after",
            "train/critic/explained_variance": "explained_variance",
        }
    ),
    own=frozenset(("rollout/advantages_mean", "train/actor/policy_loss", "env/success_once")),
    silent=frozenset(("env/success_once", "env/num_trajectories", "rollout/rewards")),
    step="iteration",
    assumptions=(
        "Losses, KL and gradient norm are means over the update's minibatches.",
        "Whether its advantages are normalised is a setting; they are left out.",
    ),
)
