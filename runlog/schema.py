"""Every column of the run log, declared once: name, type, unit, meaning, group and time of measurement."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Type = Literal["int64", "bool", "float64", "string", "list<float64>"]
Group = Literal[
    "progress", "reward", "observation", "value", "advantage", "gradient", "cg", "step",
    "line search", "policy", "hyperparameters", "system", "window",
]  # fmt: skip
When = Literal[
    "iteration",  # a fact of the whole iteration: counters, settings, clocks
    "sampling",  # the policy and the normaliser that sampled this batch
    "critic before fit",  # the critic that existed when the batch was sampled
    "advantage",  # what generalised advantage estimation returned
    "update",  # during the policy update, at the old parameters
    "after step",  # after the line search, the old distribution frozen
    "after fit",  # after this iteration's critic fit
    "end",  # when the iteration is over
]

SCHEMA_VERSION = 1
"""Version of this table; columns are only ever added, so an older reader can read a newer log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """One declared column. `clocked` columns are measured on a clock and differ between equal runs."""

    name: str
    type: Type
    unit: str
    meaning: str
    group: Group
    when: When
    clocked: bool = False

    @property
    def is_list(self) -> bool:
        return self.type.startswith("list<")


def _group(
    group: Group, *rows: tuple[str, Type, str, When, str], clocked: frozenset[str] = frozenset()
) -> tuple[ColumnSpec, ...]:
    return tuple(
        ColumnSpec(
            name=name,
            type=type_,
            unit=unit,
            when=when,
            meaning=meaning,
            group=group,
            clocked=name in clocked,
        )
        for name, type_, unit, when, meaning in rows
    )


# fmt: off
COLUMNS: tuple[ColumnSpec, ...] = (
    *_group(
        "progress",
        ("run_id", "string", "", "iteration", "Identifier of the run, the same in every row."),
        ("env_id", "string", "", "iteration", "Gymnasium id of the environment, the same in every row."),
        ("seed", "int64", "", "iteration", "Seed of every random generator of the run."),
        ("iteration", "int64", "", "iteration", "Number of this TRPO iteration, from 1."),
        ("attempt", "int64", "", "iteration", "Start of the run this row belongs to, from 1; an iteration number that does not rise starts the next."),
        ("timesteps", "int64", "steps", "end", "Environment steps taken so far, all environments together."),
        ("episodes", "int64", "episodes", "end", "Episodes ended so far."),
        ("batch_size", "int64", "steps", "sampling", "Environment steps in this iteration's batch."),
        ("updates", "int64", "updates", "end", "Policy updates attempted in this row."),
        ("time", "float64", "s", "end", "Unix time at which the row was complete."),
        ("seconds_sampling", "float64", "s", "iteration", "Wall time of sampling the batch."),
        ("seconds_advantage", "float64", "s", "iteration", "Wall time of values, returns and advantages."),
        ("seconds_policy", "float64", "s", "iteration", "Wall time of the policy update."),
        ("seconds_value", "float64", "s", "iteration", "Wall time of the critic's fit."),
        ("seconds_logging", "float64", "s", "iteration", "Wall time of diagnostics and logging of the row before."),
        ("steps_per_second", "float64", "steps/s", "end", "Environment steps per second of wall time over the whole iteration."),
        clocked=frozenset({"time", "seconds_sampling", "seconds_advantage", "seconds_policy", "seconds_value", "seconds_logging", "steps_per_second"}),
    ),
    *_group(
        "reward",
        ("episode_return_mean", "float64", "reward", "sampling", "Mean undiscounted return of the episodes that ended in this iteration."),
        ("episode_return_std", "float64", "reward", "sampling", "Standard deviation of those returns."),
        ("episode_return_min", "float64", "reward", "sampling", "Smallest of those returns."),
        ("episode_return_max", "float64", "reward", "sampling", "Largest of those returns."),
        ("episode_length_mean", "float64", "steps", "sampling", "Mean length of the episodes that ended in this iteration."),
        ("episode_length_median", "float64", "steps", "sampling", "Median length of those episodes."),
        ("episodes_terminated", "int64", "episodes", "sampling", "Episodes that ended in a terminal state in this iteration."),
        ("episodes_truncated", "int64", "episodes", "sampling", "Episodes cut by a time limit in this iteration."),
        ("episode_returns", "list<float64>", "reward", "sampling", "Returns of the ended episodes, at most 64."),
        ("episode_lengths", "list<float64>", "steps", "sampling", "Lengths of the ended episodes, at most 64."),
        ("reward_mean", "float64", "reward", "sampling", "Mean reward of a step, in the environment's units."),
        ("reward_std", "float64", "reward", "sampling", "Standard deviation of the reward of a step."),
        ("reward_min", "float64", "reward", "sampling", "Smallest reward of a step in the batch."),
        ("reward_max", "float64", "reward", "sampling", "Largest reward of a step in the batch."),
        ("reward_train_mean", "float64", "training reward", "sampling", "Mean reward as the advantages see it, after scaling and clipping."),
        ("reward_train_std", "float64", "training reward", "sampling", "Standard deviation of the training reward."),
        ("reward_train_min", "float64", "training reward", "sampling", "Smallest training reward."),
        ("reward_train_max", "float64", "training reward", "sampling", "Largest training reward."),
        ("reward_scale", "float64", "reward/training reward", "sampling", "Divisor applied to the reward in this iteration."),
        ("reward_clip_fraction", "float64", "fraction", "sampling", "Share of steps whose scaled reward was clipped."),
        ("reward_r2", "float64", "fraction", "sampling", "Held-out R² of a regression of the reward on observation and action, every 5th iteration."),
    ),
    *_group(
        "observation",
        ("observation_std_min", "float64", "observation", "sampling", "Smallest standard deviation over the dimensions of the raw observation in the batch."),
        ("observation_std_max", "float64", "observation", "sampling", "Largest standard deviation over the dimensions of the raw observation in the batch."),
        ("observation_abs_max", "float64", "observation", "sampling", "Largest absolute raw observation in the batch."),
        ("observation_dead_dimensions", "int64", "dimensions", "sampling", "Observation dimensions that did not vary in the batch."),
        ("observation_clip_fraction", "float64", "fraction", "sampling", "Share of normalised observation entries that were clipped."),
        ("observation_shift", "float64", "σ", "end", "Largest move of the normaliser's mean at the end of this iteration, in its own standard deviations."),
    ),
    *_group(
        "value",
        ("return_mean", "float64", "training reward", "advantage", "Mean of the value targets (λ-returns)."),
        ("return_std", "float64", "training reward", "advantage", "Standard deviation of the value targets."),
        ("return_min", "float64", "training reward", "advantage", "Smallest value target."),
        ("return_max", "float64", "training reward", "advantage", "Largest value target."),
        ("value_mean", "float64", "training reward", "critic before fit", "Mean of V over the batch."),
        ("value_std", "float64", "training reward", "critic before fit", "Standard deviation of V over the batch."),
        ("value_min", "float64", "training reward", "critic before fit", "Smallest V in the batch."),
        ("value_max", "float64", "training reward", "critic before fit", "Largest V in the batch."),
        ("explained_variance", "float64", "fraction", "critic before fit", "1 − Var(target − V)/Var(target) with the critic that sampled; null when the targets are constant."),
        ("explained_variance_after", "float64", "fraction", "after fit", "The same after this iteration's fit."),
        ("value_loss", "float64", "training reward²", "critic before fit", "Mean squared error of V against the value targets before the fit."),
        ("value_loss_after", "float64", "training reward²", "after fit", "Mean squared error after the fit."),
        ("value_parameter_delta_norm", "float64", "parameter", "after fit", "Euclidean norm of the critic's parameter change in this iteration."),
    ),
    *_group(
        "advantage",
        ("advantage_raw_mean", "float64", "training reward", "advantage", "Mean of the advantages before normalisation."),
        ("advantage_raw_std", "float64", "training reward", "advantage", "Standard deviation of the advantages before normalisation."),
        ("advantage_raw_min", "float64", "training reward", "advantage", "Smallest advantage before normalisation."),
        ("advantage_raw_max", "float64", "training reward", "advantage", "Largest advantage before normalisation."),
        ("advantage_mean", "float64", "1", "advantage", "Mean of the advantages the gradient uses."),
        ("advantage_std", "float64", "1", "advantage", "Standard deviation of the advantages the gradient uses."),
    ),
    *_group(
        "gradient",
        ("policy_loss_before", "float64", "1", "update", "Minus the surrogate at the old parameters (ratio ≡ 1), of the advantages as estimated."),
        ("policy_loss", "float64", "1", "after step", "Minus the surrogate at the parameters in force after the step, of the advantages as estimated."),
        ("gradient_norm", "float64", "1/parameter", "update", "Euclidean norm of the policy gradient g."),
        ("gradient_norms", "list<float64>", "1/parameter", "update", "Norm of the gradient by parameter tensor; null entries where a tensor is not in the graph."),
        ("gradient_cosine", "float64", "1", "update", "Cosine between the gradients of two half batches split by trajectory, every 5th iteration."),
        ("gradient_cosine_null_mean", "float64", "1", "update", "Mean of that cosine over permuted advantages."),
        ("gradient_cosine_null_std", "float64", "1", "update", "Standard deviation of that cosine over permuted advantages."),
        ("trainable_parameters", "int64", "parameters", "update", "Policy parameters that require a gradient."),
    ),
    *_group(
        "cg",
        ("step_direction_norm", "float64", "parameter", "update", "‖x‖ of the conjugate-gradient solution of (F + λI)x = g."),
        ("cg_iterations", "int64", "iterations", "update", "Conjugate-gradient iterations done."),
        ("cg_residual", "float64", "1", "update", "‖r‖/‖g‖ by the recurrence after the last iteration."),
        ("cg_residual_true", "float64", "1", "update", "‖Ax − g‖/‖g‖ by one extra product, every 10th iteration."),
        ("cg_min_curvature", "float64", "1/parameter²", "update", "Smallest pᵀAp/pᵀp over the search directions."),
        ("curvature", "float64", "1", "update", "xᵀAx."),
        ("gradient_dot_direction", "float64", "1", "update", "gᵀx."),
        ("fisher_ritz_max", "float64", "1/parameter²", "update", "Largest Ritz value of F from the conjugate gradient's own coefficients."),
        ("fisher_ritz_min", "float64", "1/parameter²", "update", "Smallest Ritz value of F: an upper bound for the smallest eigenvalue g excites."),
        ("cg_residuals", "list<float64>", "1", "update", "‖r‖/‖g‖ after each conjugate-gradient iteration."),
        ("cg_curvatures", "list<float64>", "1/parameter²", "update", "pᵀAp/pᵀp of each conjugate-gradient iteration."),
    ),
    *_group(
        "step",
        ("policy_parameter_norm", "float64", "parameter", "update", "‖θ‖ at the start of the iteration."),
        ("full_step_norm", "float64", "parameter", "update", "‖s‖ of the full step s = √(2δ/xᵀAx)·x."),
        ("expected_improvement", "float64", "1", "update", "gᵀs of the full step."),
        ("kl_full_step", "float64", "nat", "update", "KL at step fraction 1."),
    ),
    *_group(
        "line search",
        ("update_outcome", "string", "", "update", "accepted, rejected, skipped-advantages, skipped-gradient or skipped-non-finite."),
        ("line_search_success", "bool", "", "update", "Whether a candidate was accepted; null when the update was skipped."),
        ("line_search_steps", "int64", "candidates", "update", "Candidates tried."),
        ("step_fraction", "float64", "fraction", "after step", "Accepted fraction β of the full step; 0 when none was."),
        ("actual_improvement", "float64", "1", "after step", "Surrogate after minus before at the accepted step; 0 when none was."),
        ("improvement_ratio", "float64", "1", "after step", "actual_improvement / (β · expected_improvement)."),
        ("step_parameter_delta_norm", "float64", "parameter", "after step", "‖θ after the search − θ before it‖."),
        ("parameter_delta_norm", "float64", "parameter", "end", "‖θ at the end of the iteration − θ at its start‖."),
        ("line_search_fractions", "list<float64>", "fraction", "update", "Fractions of the candidates in the order tried."),
        ("line_search_gains", "list<float64>", "1", "update", "Surrogate gain of each candidate."),
        ("line_search_kls", "list<float64>", "nat", "update", "KL of each candidate."),
    ),
    *_group(
        "policy",
        ("kl", "float64", "nat", "after step", "Mean KL(old‖new) of the parameters in force after the step, summed over action dimensions."),
        ("kl_drift", "float64", "nat", "end", "KL, on this batch's states, from the policy the search accepted to the one that samples next."),
        ("entropy", "float64", "nat", "sampling", "Mean entropy of the action distribution."),
        ("entropy_after", "float64", "nat", "after step", "Mean entropy after the update."),
        ("entropy_per_dimension", "float64", "nat", "sampling", "entropy / action dimensions."),
        ("log_std_mean", "float64", "1", "sampling", "Mean of log σ over states and dimensions."),
        ("log_std_min", "float64", "1", "sampling", "Smallest log σ."),
        ("log_std_max", "float64", "1", "sampling", "Largest log σ."),
        ("ratio_before_mean", "float64", "1", "update", "Mean probability ratio before the step, 1 in a correct update."),
        ("ratio_before_std", "float64", "1", "update", "Standard deviation of that ratio, 0 in a correct update."),
        ("ratio_mean", "float64", "1", "after step", "Mean probability ratio after the step."),
        ("ratio_std", "float64", "1", "after step", "Standard deviation of the ratio after the step."),
        ("log_ratio_std", "float64", "1", "after step", "Standard deviation of the log ratio after the step."),
        ("advantage_log_ratio_mean", "float64", "1", "after step", "Mean of advantage × log ratio after the step, of the advantages as estimated, whatever the step was made with."),
        ("action_log_prob_mean", "float64", "nat", "sampling", "Mean log-probability of the sampled actions."),
        ("effective_sample_size", "float64", "fraction", "after step", "(Σw)²/(N·Σw²) of the ratios w."),
        ("action_clip_fraction", "float64", "fraction", "sampling", "Share of sampled action entries outside the bounds."),
        ("action_mean_clip_fraction", "float64", "fraction", "sampling", "Share of action means outside the bounds."),
        ("saturated_units_fraction", "float64", "fraction", "sampling", "Share of the policy's hidden activations with |tanh| > 0.97."),
    ),
    *_group(
        "hyperparameters",
        ("max_kl", "float64", "nat", "iteration", "Trust region δ in force."),
        ("damping", "float64", "1/parameter²", "iteration", "Damping λ in A = F + λI."),
        ("gamma", "float64", "1", "iteration", "Discount γ."),
        ("lam", "float64", "1", "iteration", "λ of generalised advantage estimation."),
        ("cg_iters", "int64", "iterations", "iteration", "Conjugate-gradient iterations allowed."),
        ("vf_iters", "int64", "epochs", "iteration", "Epochs of the critic's fit."),
        ("vf_lr", "float64", "1", "iteration", "Step size of the critic's optimiser."),
    ),
    *_group(
        "system",
        ("cpu_percent", "float64", "%", "iteration", "CPU time of the process over wall time, 100 for one full core."),
        ("memory_mb", "float64", "MB", "end", "Resident memory of the process."),
        clocked=frozenset({"cpu_percent", "memory_mb"}),
    ),
    *_group(
        "window",
        ("window_reward", "list<float64>", "training reward", "sampling", "Rewards of one contiguous stretch of one environment, without any bootstrap term; in the first ten iterations, every 25th, and where something went wrong."),
        ("window_value", "list<float64>", "training reward", "critic before fit", "V of the stretch's observations."),
        ("window_next_value", "list<float64>", "training reward", "critic before fit", "V of the following observations; of the final observation before a reset."),
        ("window_advantage", "list<float64>", "training reward", "advantage", "Raw advantages of the stretch."),
        ("window_log_prob_old", "list<float64>", "nat", "sampling", "Log-probabilities of the stretch's actions when sampled."),
        ("window_log_prob_new", "list<float64>", "nat", "after step", "Log-probabilities of the same actions after the step."),
        ("window_terminated", "list<float64>", "flag", "sampling", "1 where a step ended in a terminal state."),
        ("window_truncated", "list<float64>", "flag", "sampling", "1 where a step was cut by a time limit, or once, early, so that environments do not end in step."),
        ("window_environment", "int64", "", "sampling", "Index of the environment the stretch comes from."),
        ("window_start", "int64", "steps", "sampling", "Index of the stretch's first step within the batch of that environment."),
    ),
)
# fmt: on

BY_NAME: Mapping[str, ColumnSpec] = MappingProxyType({spec.name: spec for spec in COLUMNS})
"""Declared columns by name, in the order of declaration."""

UPDATE_OUTCOMES = (
    "accepted",
    "rejected",
    "skipped-advantages",
    "skipped-gradient",
    "skipped-non-finite",
)
"""The values `update_outcome` may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataField:
    """One declared key of `run.json` and of every Parquet footer."""

    name: str
    meaning: str


METADATA: tuple[MetadataField, ...] = tuple(
    MetadataField(name=name, meaning=meaning)
    for name, meaning in (
        ("format", "Version of the on-disk format."),
        ("schema", "Version of the column table."),
        ("tool_version", "Version of trpo-tui that wrote the run."),
        ("run_id", "Identifier of the run."),
        ("algorithm", "Name of the algorithm: trpo, ppo, npg, …"),
        ("env_id", "Gymnasium id of the environment."),
        ("env_args", "Keyword arguments the environment was made with."),
        ("seed", "Seed of every random generator."),
        ("dtype", "Floating-point type of the policy's parameters."),
        ("observation_dim", "Numbers in an observation."),
        ("action_dim", "Numbers in an action."),
        ("action_low", "Lower bounds of the action, one number each."),
        ("action_high", "Upper bounds of the action, one number each."),
        ("environments", "Environments sampled side by side."),
        ("steps_per_iteration", "Environment steps per iteration."),
        ("horizon", "Time limit of an episode, steps."),
        ("solved_return", "Return at which the environment declares itself solved."),
        ("config", "The whole configuration."),
        ("kl_reduction", "How KL is reduced over action dimensions: sum or mean."),
        ("kl_direction", "Which way KL is taken: old-new or new-old."),
        ("line_search_factor", "Factor between a candidate's fraction and the next."),
        ("line_search_max_steps", "Candidates tried at most."),
        ("line_search_kl_margin", "A candidate is accepted up to this multiple of max_kl."),
        ("cg_start", "Start of the conjugate gradient: zero or random."),
        ("cg_tolerance", "Tolerance at which the conjugate gradient stops."),
        ("cg_tolerance_kind", "Whether that tolerance is relative to ‖g‖ or absolute on ‖r‖²."),
        ("advantage_normalisation", "How advantages are normalised: standardise, centre or none."),
        ("value_target", "What the critic is fitted to: lambda-return or monte-carlo."),
        ("fisher_fraction", "Share of the batch's states the Fisher products use."),
        ("packages", "Versions of the packages used."),
        ("git_commit", "Commit of the working directory's repository."),
        ("command", "The command line."),
        ("host", "The machine's name."),
        ("job_id", "Identifier of the batch system's job."),
        ("parameter_names", "Names of the policy's parameter tensors, in the order of gradient_norms."),
        ("version", "Free text a user's script may set: the version of the trainer."),
    )
)  # fmt: skip
METADATA_KEYS = frozenset(field.name for field in METADATA)
