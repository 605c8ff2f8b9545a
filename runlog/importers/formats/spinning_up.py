"""OpenAI's Spinning Up: the box of its EpochLogger, and progress.txt."""

from runlog.importers.formats.format import Format, Key, keys
from runlog.importers.formats.searches import counted_from_zero

SPINNING_UP = Format(
    name="spinning-up",
    algorithms={"backtrackiters": "trpo", "clipfrac": "ppo"},
    keys=keys(
        {
            "Epoch": "iteration",
            "AverageEpRet": "episode_return_mean",
            "StdEpRet": "episode_return_std",
            "MaxEpRet": "episode_return_max",
            "MinEpRet": "episode_return_min",
            "EpLen": "episode_length_mean",
            "AverageVVals": "value_mean",
            "StdVVals": "value_std",
            "MaxVVals": "value_max",
            "MinVVals": "value_min",
            "TotalEnvInteracts": "timesteps",
            "LossPi": "policy_loss_before",
            "LossV": "value_loss",
            "DeltaLossPi": Key("actual_improvement", -1.0),
            "KL": "kl",
            "Entropy": "entropy",
            "BacktrackIters": Key("line_search_steps", offset=1.0),
        }
    ),
    silent=frozenset(("time", "deltalossv", "clipfrac", "stopiter")),
    said={
        "Accepting new params at step {} of line search": "ok",
        "Line search failed! Keeping old params": "failed",
    },
    texts_before=True,
    own=frozenset(("averageepret", "deltalosspi", "totalenvinteracts", "averagevvals")),
    finish=counted_from_zero,
    step="iteration",
    metadata={"kl_reduction": "sum"},
    assumptions=(
        "Losses are those before the update; BacktrackIters counts from 0, here from 1.",
        "The step fraction supposes the default backtracking coefficient, 0.8.",
        "Where vanilla policy gradient measures KL and the change of its loss before the step, "
        "both are left out.",
    ),
)
