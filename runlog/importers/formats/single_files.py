"""Small trainers: mjacar's pytorch-trpo, pat-coady's trpo, mjrl, rl_replicas, MushroomRL."""

from runlog.importers.formats.format import Format, Key, keys
from runlog.importers.formats.searches import backtracked

MJACAR = Format(
    name="mjacar",
    algorithm="trpo",
    keys=keys(
        {
            "Evaluation avg reward": "episode_return_mean",
            "KL_Old_New": "kl",
            "Entropy": "entropy",
            "EV_Before": "explained_variance",
            "EV_After": "explained_variance_after",
        }
    ),
    own=frozenset(("kl_old_new", "ev_before", "ev_after")),
    metadata={"kl_direction": "new-old"},
    assumptions=("The return is that of evaluation episodes after the step.",),
)

PAT_COADY = Format(
    name="pat-coady",
    algorithm="ppo",
    header="Episode {iteration}, Mean R = {episode_return_mean}",
    keys=keys(
        {
            "_Episode": "iteration",
            "_MeanReward": "episode_return_mean",
            "ExplainedVarOld": "explained_variance",
            "ExplainedVarNew": "explained_variance_after",
            "KL": "kl",
            "PolicyEntropy": "entropy",
            "Steps": "batch_size",
            "ValFuncLoss": "value_loss_after",
            "_mean_adv": "advantage_mean",
            "_mean_discrew": "return_mean",
            "_min_discrew": "return_min",
            "_max_discrew": "return_max",
        }
    ),
    silent=frozenset(
        (
            "beta",
            "policyloss",
            "_lr_multiplier",
            "_std_adv",
            "_min_adv",
            "_max_adv",
            "_std_discrew",
            "_mean_obs",
            "_min_obs",
            "_max_obs",
            "_std_obs",
            "_mean_act",
            "_min_act",
            "_max_act",
            "_std_act",
        )
    ),
    own=frozenset(("explainedvarold", "policyentropy", "valfuncloss")),
    metadata={"kl_reduction": "sum", "kl_direction": "old-new"},
    assumptions=(
        "An iteration has the number of its last episode.",
        "The entropy is that of the policy after the update.",
        "The policy loss includes the KL penalty and is left out.",
    ),
)

MJRL = Format(
    name="mjrl",
    algorithm="npg",
    header="ITERATION : {iteration}",
    keys=keys(
        {
            "stoc_pol_mean": "episode_return_mean",
            "stoc_pol_std": "episode_return_std",
            "stoc_pol_max": "episode_return_max",
            "stoc_pol_min": "episode_return_min",
            "kl_dist": "kl",
            "delta": Key("max_kl", 0.5),
            "surr_improvement": "actual_improvement",
            "VF_error_before": Key("explained_variance", -1.0, offset=1.0),
            "VF_error_after": Key("explained_variance_after", -1.0, offset=1.0),
            "num_samples": "batch_size",
        }
    ),
    silent=frozenset(
        (
            "alpha",
            "running_score",
            "eval_score",
            "success_rate",
            "time_sampling",
            "time_vf",
            "time_vpg",
            "time_npg",
        )
    ),
    said={"Step size too high. Backtracking. | kl = {} | surr diff = {}": "backtrack"},
    own=frozenset(("stoc_pol_mean", "surr_improvement", "kl_dist")),
    finish=backtracked,
    metadata={"kl_reduction": "sum"},
    assumptions=(
        "The explained variance is 1 minus the baseline's relative squared error.",
        "The KL bound is half the printed normalised step size, delta.",
    ),
)

RL_REPLICAS = Format(
    name="rl-replicas",
    keys=keys(
        {
            "epoch": "iteration",
            "total_steps": "timesteps",
            "total_episodes": "episodes",
            "training/average_episode_return": "episode_return_mean",
            "training/episode_return_std": "episode_return_std",
            "training/max_episode_return": "episode_return_max",
            "training/min_episode_return": "episode_return_min",
            "training/average_episode_length": "episode_length_mean",
            "policy/loss": "policy_loss_before",
            "policy/avarage_entropy": "entropy",
            "value_function/average_loss": "value_loss_after",
        }
    ),
    silent=frozenset(("policy/log_prob_std", "training/time")),
    own=frozenset(("training/average_episode_return", "policy/avarage_entropy")),
    step="timesteps",
    assumptions=(
        "The policy loss is the one before the step; it is 0 up to rounding there.",
        "The value loss is the mean over the fit.",
    ),
)

MUSHROOM_RL = Format(
    name="mushroom-rl",
    algorithm="trpo",
    header="Iteration {iteration}:",
    lines=(
        "rewards {episode_return_mean} vf_loss [{value_loss_after}]",
        "entropy {entropy} kl {kl}",
    ),
    own=frozenset(("rewards",)),
    metadata={"kl_reduction": "sum", "kl_direction": "old-new"},
    assumptions=("The entropy is that of the policy after the update.",),
)
