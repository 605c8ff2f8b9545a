"""John Schulman's modular_rl and its heirs: ikostrikov's pytorch-trpo, wojzaremba's trpo."""

from runlog.importers.formats.format import Format, keys
from runlog.importers.formats.searches import full_step_always, ratio_lines, rolled_back

MODULAR_RL = Format(
    name="modular-rl",
    algorithm="trpo",
    header="Iteration {iteration}",
    lines=("gnorm: {gradient_norm}",),
    keys=keys(
        {
            "EpRewMean": "episode_return_mean",
            "EpRewMax": "episode_return_max",
            "EpLenMean": "episode_length_mean",
            "RewPerStep": "reward_mean",
            "pol_surr_before": "policy_loss_before",
            "pol_surr_after": "policy_loss",
            "pol_kl_after": "kl",
            "pol_ent_before": "entropy",
            "pol_ent_after": "entropy_after",
            "vf_mse_before": "value_loss",
            "vf_mse_after": "value_loss_after",
            "vf_EV_before": "explained_variance",
            "vf_EV_after": "explained_variance_after",
            "vf_TargStdev": "return_std",
            "vf_PredStdevBefore": "value_std",
        }
    ),
    silent=frozenset(
        (
            "eprewsem",
            "eplenmax",
            "numepbatch",
            "timeelapsed",
            "pol_kl_before",
            "vf_loss_before",
            "vf_loss_after",
            "vf_l2_before",
            "vf_l2_after",
            "vf_predstdevafter",
            "vf_ev",
        )
    ),
    said={
        "a/e/r {} {} {}": "try",
        "success True": "success",
        "success False": "no-success",
        "got zero gradient. not updating": "zero-gradient",
        "{} {} {}": "cg",
    },
    own=frozenset(("pol_kl_after", "pol_surr_after", "eprewsem", "pol_ent_after")),
    texts_before=True,
    finish=full_step_always,
    metadata={"kl_reduction": "sum", "kl_direction": "old-new", "line_search_factor": 0.5},
    assumptions=(
        "modular_rl takes the full step whatever its line search found; KL and loss are those of "
        "the full step.",
    ),
)

PYTORCH_TRPO = Format(
    name="pytorch-trpo",
    algorithm="trpo",
    header="Episode {iteration} Last reward",
    lines=(
        "Average reward {episode_return_mean}",
        "grad_norm:', {gradient_norm}",
        "grad_norm: {gradient_norm}",
        "fval before {policy_loss_before}",
        "fval before', {policy_loss_before}",
        "fval after {policy_loss}",
        "fval after', {policy_loss}",
    ),
    said={"a/e/r {} {} {}": "try"},
    own=frozenset(("fval before", "fval before',", "grad_norm")),
    texts_before=True,
    finish=ratio_lines,
    metadata={"kl_reduction": "sum", "line_search_factor": 0.5, "line_search_max_steps": 10},
    assumptions=(
        "An iteration is what the log calls an episode: a batch of them.",
        "Its line search does not look at KL, which is not printed.",
    ),
)

WOJZAREMBA = Format(
    name="wojzaremba",
    algorithm="trpo",
    header="Iteration {iteration}",
    keys=keys(
        {
            "Total number of episodes": "episodes",
            "Average sum of rewards per episode": "episode_return_mean",
            "Entropy": "entropy",
            "Baseline explained": "explained_variance",
            "KL between old and new distribution": "kl",
            "Surrogate loss": "policy_loss",
        }
    ),
    silent=frozenset(("time elapsed",)),
    own=frozenset(("kl between old and new distribution", "baseline explained")),
    finish=rolled_back,
    metadata={"kl_direction": "old-new"},
    assumptions=(
        "KL above 0.02, twice the default bound, is that of a step taken back: KL is then 0, loss "
        "and entropy are not known.",
        "The entropy is that of the policy after the step.",
    ),
)
