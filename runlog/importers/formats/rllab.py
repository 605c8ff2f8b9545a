"""rllab and garage: tables under `itr #N` or `epoch #N`, and progress.csv."""

from runlog.importers.formats.format import Format, Key, keys
from runlog.importers.formats.searches import restored

_RETURNS = {
    "AverageReturn": "episode_return_mean",
    "StdReturn": "episode_return_std",
    "MaxReturn": "episode_return_max",
    "MinReturn": "episode_return_min",
}
_SAID = {
    "backtrack iters: {}": "backtracks",
    "Line search condition violated. Rejecting the step!": "failed",
}
_ASSUMPTIONS = (
    "A rejected step is taken back before anything is measured: KL and the improvement are 0 then.",
)

RLLAB = Format(
    name="rllab",
    header="itr #{iteration}",
    keys=keys(
        _RETURNS
        | {
            "Iteration": "iteration",
            "MeanKL": "kl",
            "LossBefore": "policy_loss_before",
            "LossAfter": "policy_loss",
            "dLoss": "actual_improvement",
            "Entropy": "entropy",
            "AveragePolicyStd": Key("log_std_mean", log=True),
            "ExplainedVariance": "explained_variance",
        }
    ),
    silent=frozenset(
        ("perplexity", "averagediscountedreturn", "numtrajs", "meanklbefore", "time", "itrtime")
    ),
    said=_SAID,
    own=frozenset(("meankl", "averagepolicystd", "averagediscountedreturn", "perplexity")),
    finish=restored,
    metadata={"kl_reduction": "sum", "kl_direction": "old-new"},
    assumptions=(*_ASSUMPTIONS, "The mean log std is the logarithm of the printed mean std."),
)

GARAGE = Format(
    name="garage",
    header="epoch #{iteration}",
    keys=keys(
        {f"Evaluation/{key}": column for key, column in _RETURNS.items()}
        | {
            "Evaluation/Iteration": "iteration",
            "TotalEnvSteps": "timesteps",
            "*Policy/KL": "kl",
            "*Policy/LossBefore": "policy_loss_before",
            "*Policy/LossAfter": "policy_loss",
            "*Policy/dLoss": "actual_improvement",
            "*Policy/Entropy": "entropy",
            "*ValueFunction/ExplainedVariance": "explained_variance",
            "*Baseline/ExplainedVariance": "explained_variance",
            "policy/KL": "kl",
            "policy/LossBefore": "policy_loss_before",
            "policy/LossAfter": "policy_loss",
            "policy/dLoss": "actual_improvement",
            "policy/Entropy": "entropy",
        }
    ),
    silent=frozenset(
        (
            "evaluation/averagediscountedreturn",
            "evaluation/numepisodes",
            "evaluation/terminationrate",
            "evaluation/successrate",
            "extras/episoderewardmean",
            # negative log-likelihoods of a Gaussian, no squared errors
            "gaussianmlpvaluefunction/lossbefore",
            "gaussianmlpvaluefunction/lossafter",
            "gaussianmlpvaluefunction/dloss",
        )
    ),
    said=_SAID,
    own=frozenset(("totalenvsteps", "evaluation/averagereturn", "evaluation/iteration")),
    finish=restored,
    step="iteration",
    metadata={"kl_direction": "old-new"},
    assumptions=_ASSUMPTIONS,
)
