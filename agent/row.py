"""One row of the log: the union of what the phases of an iteration measured."""

from typing import Any

import numpy as np
import torch

from agent import gaussian
from agent.batch_statistics import sampling_columns
from agent.columns import EndColumns, ValueColumns, WindowColumns, columns_of
from agent.config import Config
from agent.envs.batch import Facts
from agent.learning import Lesson
from agent.networks import Policy
from agent.normaliser import Normaliser
from agent.sampling import normalised
from agent.value import explained_variance
from agent.window import wanted, window_columns


def row_of(
    lesson: Lesson,
    policy: Policy,
    sampled_with: Normaliser | None,
    samples_next: Normaliser | None,
    facts: Facts,
    config: Config,
    *,
    iteration: int,
    timesteps: int,
    episodes: int,
) -> dict[str, Any]:
    """Every declared column of the iteration but the clocks, and reward_term_* extras.

    `sampled_with`, `samples_next`: the normaliser of this batch and of the next one.
    """
    rollout, step = lesson.rollout, lesson.learned.step
    sampling_policy = step.started
    if not torch.equal(lesson.theta, step.theta_before):  # a critic's fit went first and moved it
        sampling_policy = policy.exactly(lesson.theta, lesson.experience.observation)
    row = dict(
        columns_of(
            sampling_columns(
                rollout,
                lesson.reward,
                sampling_policy,
                step.saturated_fraction,
                lesson.experience,
                facts,
                iteration,
            ),
            _value_columns(lesson),
            lesson.learned.advantages,
            step.gradient,
            step.direction,
            step.search,
            step.change,
            lesson.learned.fit,
            _end_columns(
                lesson,
                policy,
                sampled_with,
                samples_next,
                config,
                iteration=iteration,
                timesteps=timesteps,
                episodes=episodes,
            ),
        )
    )
    row |= dict(columns_of(_window_columns(lesson, iteration, row)))
    return row | {f"reward_term_{name}": mean for name, mean in rollout.reward_terms.items()}


def _value_columns(lesson: Lesson) -> ValueColumns:
    value, targets = lesson.values.now, lesson.learned.advantages.targets
    return ValueColumns(
        value_mean=float(value.mean()),
        value_std=float(value.std()),
        value_min=float(value.min()),
        value_max=float(value.max()),
        explained_variance=explained_variance(targets, targets - value),
        value_loss=float(np.mean((targets - value) ** 2)),
    )


def _end_columns(
    lesson: Lesson,
    policy: Policy,
    sampled_with: Normaliser | None,
    samples_next: Normaliser | None,
    config: Config,
    *,
    iteration: int,
    timesteps: int,
    episodes: int,
) -> EndColumns:
    step, raw = lesson.learned.step, lesson.rollout.raw
    theta = policy.theta()
    drift = 0.0
    if sampled_with is not None or not torch.equal(theta, step.theta):
        seen_next = torch.from_numpy(normalised(raw.reshape(-1, raw.shape[-1]), samples_next))
        next_policy = policy.outside_graph(theta, seen_next.to(theta))
        drift = float(gaussian.kl(step.accepted, next_policy).mean())
    shift = None
    if sampled_with is not None and samples_next is not None:
        shift = samples_next.shift_from(sampled_with)
    return EndColumns(
        iteration=iteration,
        timesteps=timesteps,
        episodes=episodes,
        updates=1,
        parameter_delta_norm=float((theta.double() - lesson.theta.double()).norm()),
        kl_drift=drift,
        observation_shift=shift,
        max_kl=config.max_kl,
        damping=config.damping,
        gamma=config.gamma,
        lam=config.lam,
        cg_iters=config.cg_iters,
        vf_iters=config.vf_iters,
        vf_lr=config.vf_lr,
    )


def _window_columns(lesson: Lesson, iteration: int, row: dict[str, Any]) -> WindowColumns:
    step, shape = lesson.learned.step, lesson.rollout.reward.shape
    if not wanted(iteration, step.change.update_outcome, row):
        return WindowColumns()
    return window_columns(
        lesson.rollout,
        lesson.reward.values,
        lesson.values,
        lesson.learned.advantages,
        lesson.experience.log_prob.cpu().numpy().reshape(shape),
        step.log_prob.cpu().numpy().reshape(shape),
    )
