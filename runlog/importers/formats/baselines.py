"""OpenAI baselines and Stable-Baselines 2: TRPO (and DeepMimic, GAIL), PPO1, PPO2, A2C, ACKTR."""

from collections.abc import Mapping, Sequence

from runlog.importers.formats.format import Cells, Format, Key, Said, keys
from runlog.importers.formats.searches import halving
from runlog.importers.printed import Printed

_COUNTERS = {
    "EpisodesSoFar": "episodes",
    "TimestepsSoFar": "timesteps",
    "EpLenMean": "episode_length_mean",
}
_SILENT = frozenset(("episthisiter", "epthisiter", "timeelapsed"))

BASELINES_TRPO = Format(
    name="baselines-trpo",
    algorithm="trpo",
    header="Iteration {iteration}",
    keys=keys(
        _COUNTERS
        | {
            "EpTrueRewMean": "episode_return_mean",
            "EpRewMean": "episode_return_mean",
            "surrgain": Key("policy_loss", -1.0),
            "meankl": "kl",
            "entropy": "entropy",
            "ev_tdlam_before": "explained_variance",
            "explained_variance_tdlam_before": "explained_variance",
        }
    ),
    silent=_SILENT | {"optimgain", "entloss"},
    said={
        "Expected: {} Actual: {}": "try",
        "Stepsize OK!": "ok",
        "Step size OK!": "ok",
        "couldn't compute a good step": "failed",
        "Got zero gradient. not updating": "zero-gradient",
        "{} {} {}": "cg",
    },
    own=frozenset(("surrgain", "optimgain", "meankl")),
    finish=halving,
    metadata={
        "kl_reduction": "sum",
        "kl_direction": "old-new",
        "line_search_factor": 0.5,
        "line_search_max_steps": 10,
        "line_search_kl_margin": 1.5,
    },
    assumptions=(
        "After a failed search the box holds the last rejected candidate's values; the old "
        "parameters are in force, so KL is 0 and loss and entropy are not known.",
        "The policy loss is minus the gain of the last candidate; the entropy is that of the policy "
        "after the step.",
        "The residuals of the conjugate gradient are printed squared and were rooted.",
        "In GAIL, EpTrueRewMean is the environment's reward.",
        "Returns and lengths are means of the last 40 or 100 episodes.",
    ),
)

PPO1 = Format(
    name="baselines-ppo1",
    algorithm="ppo",
    header="Iteration {iteration}",
    keys=keys(
        _COUNTERS
        | {
            "EpRewMean": "episode_return_mean",
            "loss_pol_surr": "policy_loss",
            "loss_kl": "kl",
            "loss_ent": "entropy",
            "loss_vf_loss": "value_loss_after",
            "ev_tdlam_before": "explained_variance",
        }
    ),
    silent=_SILENT | {"loss_pol_entpen"},
    own=frozenset(("loss_pol_surr", "loss_pol_entpen", "loss_kl", "loss_vf_loss")),
    metadata={"kl_reduction": "sum", "kl_direction": "old-new"},
    assumptions=(
        "Losses, KL and entropy are means over the batch after the update.",
        "Returns and lengths are means of the last 100 episodes.",
    ),
)


def _both(columns: dict[str, str | Key]) -> dict[str, str | Key]:
    """Newer versions put `loss/` or `misc/` before some keys."""
    return columns | {
        f"{section}/{key}": column
        for section in ("loss", "misc")
        for key, column in columns.items()
    }


def _doubled(cells: Cells, _: Sequence[Said]) -> Mapping[str, Printed | None]:
    """Of those that print these keys, PPO2 prints a KL and halves its value loss."""
    loss = cells.get("value_loss_after")
    if loss is None or "kl" not in cells:
        return {}
    return {"value_loss_after": Key("value_loss_after", 2.0).of(loss)}


BASELINES = Format(
    name="baselines",
    algorithms={"approxkl": "ppo", "loss/approxkl": "ppo", "clipfrac": "ppo"},
    keys=keys(
        _both(
            {
                "ep_reward_mean": "episode_return_mean",
                "ep_rewmean": "episode_return_mean",
                "eprewmean": "episode_return_mean",
                "episode_return_mean": "episode_return_mean",
                "ep_len_mean": "episode_length_mean",
                "eplenmean": "episode_length_mean",
                "episode_length_mean": "episode_length_mean",
                "total_timesteps": "timesteps",
                "approxkl": "kl",
                "policy_entropy": "entropy",
                "policy_loss": "policy_loss",
                "value_loss": "value_loss_after",
                "explained_variance": "explained_variance",
            }
        )
    ),
    silent=frozenset(
        f"{section}{key}"
        for section in ("", "loss/", "misc/")
        for key in ("clipfrac", "fps", "n_updates", "nupdates", "serial_timesteps", "time_elapsed")
    ),
    own=frozenset(
        (
            "policy_entropy",
            "approxkl",
            "loss/approxkl",
            "loss/policy_entropy",
            "eprewmean",
            "ep_rewmean",
            "ep_reward_mean",
            "nupdates",
            "serial_timesteps",
            "misc/serial_timesteps",
        )
    ),
    finish=_doubled,
    metadata={"kl_direction": "old-new"},
    assumptions=(
        "PPO2's value loss is half the mean squared error, a mean over the minibatches, and was doubled; A2C's is all of it.",
        "PPO2's KL is half the mean squared difference of log-probabilities.",
        "Returns and lengths are means of the last 100 episodes.",
    ),
)
