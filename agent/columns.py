"""What each phase of an iteration hands to the log: its fields are columns, None is null."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from runlog.schema import BY_NAME

FILLED_BY_THE_LOG = frozenset({"run_id", "env_id", "seed", "attempt"})
"""Columns that belong to the run, not to one iteration: RunLog puts them into every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingColumns:
    """The batch as the environment and the sampling policy made it."""

    batch_size: int
    episode_return_mean: float | None
    episode_return_std: float | None
    episode_return_min: float | None
    episode_return_max: float | None
    episode_length_mean: float | None
    episode_length_median: float | None
    episodes_terminated: int
    episodes_truncated: int
    episode_returns: list[float]
    episode_lengths: list[float]
    reward_mean: float
    reward_std: float
    reward_min: float
    reward_max: float
    reward_train_mean: float
    reward_train_std: float
    reward_train_min: float
    reward_train_max: float
    reward_scale: float
    reward_clip_fraction: float
    reward_r2: float | None
    observation_std_min: float
    observation_std_max: float
    observation_abs_max: float
    observation_dead_dimensions: int
    observation_clip_fraction: float | None
    entropy: float
    entropy_per_dimension: float
    log_std_mean: float
    log_std_min: float
    log_std_max: float
    action_log_prob_mean: float
    action_clip_fraction: float
    action_mean_clip_fraction: float
    saturated_units_fraction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumns:
    """The critic that existed when the batch was sampled, against the value targets."""

    value_mean: float
    value_std: float
    value_min: float
    value_max: float
    explained_variance: float | None
    value_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientColumns:
    """The policy gradient. Null when the advantages are not finite."""

    trainable_parameters: int
    gradient_norm: float | None = None
    gradient_norms: list[float | None] | None = None
    gradient_cosine: float | None = None
    gradient_cosine_null_mean: float | None = None
    gradient_cosine_null_std: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionColumns:
    """The conjugate gradient and the full step. Null when the update was skipped before them."""

    step_direction_norm: float | None = None
    cg_iterations: int | None = None
    cg_residual: float | None = None
    cg_residual_true: float | None = None
    cg_min_curvature: float | None = None
    curvature: float | None = None
    gradient_dot_direction: float | None = None
    fisher_ritz_max: float | None = None
    fisher_ritz_min: float | None = None
    cg_residuals: list[float] | None = None
    cg_curvatures: list[float] | None = None
    full_step_norm: float | None = None
    expected_improvement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchColumns:
    """The line search. Null when it was not reached."""

    kl_full_step: float | None = None
    line_search_success: bool | None = None
    line_search_steps: int | None = None
    line_search_fractions: list[float] | None = None
    line_search_gains: list[float] | None = None
    line_search_kls: list[float] | None = None
    actual_improvement: float | None = None
    improvement_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeColumns:
    """What the update did to the policy, whichever way it ended."""

    update_outcome: str
    policy_parameter_norm: float
    policy_loss_before: float
    policy_loss: float
    step_fraction: float
    step_parameter_delta_norm: float
    kl: float
    entropy_after: float
    ratio_before_mean: float
    ratio_before_std: float
    ratio_mean: float
    ratio_std: float
    log_ratio_std: float
    advantage_log_ratio_mean: float
    effective_sample_size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndColumns:
    """The iteration as a whole, and its settings."""

    iteration: int
    timesteps: int
    episodes: int
    updates: int
    parameter_delta_norm: float
    kl_drift: float
    observation_shift: float | None
    max_kl: float
    damping: float
    gamma: float
    lam: float
    cg_iters: int
    vf_iters: int
    vf_lr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockColumns:
    """What was measured on a clock: the only columns that differ between equal runs."""

    time: float
    seconds_sampling: float
    seconds_advantage: float
    seconds_policy: float
    seconds_value: float
    seconds_logging: float | None
    steps_per_second: float
    cpu_percent: float | None
    memory_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowColumns:
    """One contiguous stretch of one environment. Null in most iterations."""

    window_reward: list[float] | None = None
    window_value: list[float] | None = None
    window_next_value: list[float] | None = None
    window_advantage: list[float] | None = None
    window_log_prob_old: list[float] | None = None
    window_log_prob_new: list[float] | None = None
    window_terminated: list[float] | None = None
    window_truncated: list[float] | None = None
    window_environment: int | None = None
    window_start: int | None = None


def columns_of(*phases: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of every field of the phases that is a declared column."""
    for phase in phases:
        for each in fields(phase):
            if each.name in BY_NAME:
                yield each.name, getattr(phase, each.name)
