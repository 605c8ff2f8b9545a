"""What the plain trainer logs: the declared columns that its user can compute."""

import time
from typing import Any

import numpy as np
import torch
from independent.plain_batch import Array, Batch
from independent.plain_signal import cosine_columns, policy_at, reward_r2
from independent.plain_trpo import Trainer, Update
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from runlog import RunLog

STRETCH = 64


def metadata(trainer: Trainer) -> dict[str, Any]:
    """What the run log is told once."""
    settings, spec = trainer.settings, trainer.worlds[0].spec
    return {
        "algorithm": "trpo",
        "env_id": settings.env,
        "seed": settings.seed,
        "config": vars(settings),
        "dtype": "float32",
        "observation_dim": len(trainer.scale.mean),
        "action_dim": len(trainer.low),
        "action_low": trainer.low,
        "action_high": trainer.high,
        "environments": settings.environments,
        "steps_per_iteration": settings.environments * settings.steps,
        "horizon": spec.max_episode_steps if spec else None,
        "solved_return": spec.reward_threshold if spec else None,
        "kl_reduction": "sum",
        "kl_direction": "old-new",
        "line_search_factor": settings.shrink,
        "line_search_max_steps": settings.candidates,
        "line_search_kl_margin": settings.kl_margin,
        "cg_start": "zero",
        "cg_tolerance": settings.cg_tolerance**0.5,
        "cg_tolerance_kind": "relative",
        "advantage_normalisation": "standardise",
        "value_target": "lambda-return",
        "fisher_fraction": 1.0,
        "parameter_names": [name for name, _ in trainer.policy.named_parameters()],
    }


def iterate(trainer: Trainer, log: RunLog) -> None:
    """One iteration: sample, step, fit, log."""
    trainer.iteration += 1
    clock = [time.perf_counter()]
    batch = trainer.sample()
    clock.append(time.perf_counter())
    trainer.estimate(batch)
    row = _batch_columns(batch) | _policy_columns(trainer, batch)
    clock.append(time.perf_counter())
    done = trainer.update(batch)
    clock.append(time.perf_counter())
    row |= _update_columns(trainer, batch, done)
    if trainer.iteration % 5 == 1:
        row |= cosine_columns(trainer, batch, done) | reward_r2(batch)
    logging = time.perf_counter()
    phi = parameters_to_vector(trainer.critic.parameters()).detach().clone()
    trainer.fit_critic(batch)
    clock.append(time.perf_counter() + clock[-1] - logging)
    scale = trainer.scale.mean.copy(), trainer.scale.variance.copy()
    trainer.learn_scale(batch)
    row |= _end_columns(trainer, batch, done, phi) | _drift_columns(trainer, batch, done, *scale)
    names = ("seconds_sampling", "seconds_advantage", "seconds_policy", "seconds_value")
    row |= dict(zip(names, np.diff(clock).tolist(), strict=True))
    row["steps_per_second"] = batch.rewards.size / (time.perf_counter() - clock[0])
    log.iteration(**row)


def _four(name: str, values: Array) -> dict[str, float]:
    of = {"mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max()}
    return {f"{name}_{statistic}": float(value) for statistic, value in of.items()}


def _batch_columns(batch: Batch) -> dict[str, Any]:
    terminated, truncated = int(batch.terminated.sum()), int(batch.truncated.sum())
    spread = batch.raw.reshape(-1, batch.raw.shape[-1]).std(0)
    row: dict[str, Any] = {
        "batch_size": batch.rewards.size,
        "updates": 1,
        "episodes_terminated": terminated,
        "episodes_truncated": truncated,
        "episode_returns": batch.returns[:STRETCH],
        "episode_lengths": batch.lengths[:STRETCH],
        "observation_std_min": float(spread.min()),
        "observation_std_max": float(spread.max()),
        "observation_abs_max": float(np.abs(batch.raw).max()),
        "observation_dead_dimensions": int((spread == 0).sum()),
    }
    if batch.returns:
        row |= _four("episode_return", np.array(batch.returns))
        row["episode_length_mean"] = float(np.mean(batch.lengths))
        row["episode_length_median"] = float(np.median(batch.lengths))
    row |= _four("reward", batch.rewards) | _four("reward_train", batch.rewards)
    row |= _four("value", batch.values) | _four("return", batch.targets)
    row |= _four("advantage_raw", batch.advantages)
    return row | _fit(batch, batch.values, "")


def _fit(batch: Batch, values: Array, when: str) -> dict[str, float | None]:
    error, spread = batch.targets - values, float(batch.targets.var())
    return {
        f"explained_variance{when}": 1 - float(error.var()) / spread if spread else None,
        f"value_loss{when}": float((error**2).mean()),
    }


def _policy_columns(trainer: Trainer, batch: Batch) -> dict[str, Any]:
    """The policy that sampled."""
    low, high, settings = trainer.low, trainer.high, trainer.settings
    with torch.no_grad():
        policy = trainer.policy(batch.observations)
        mean, log_std = policy.mean.numpy(), policy.stddev.log()
        logp = trainer.log_prob(policy, torch.from_numpy(batch.actions)).detach()
        inner, shares = batch.observations, []
        for layer in trainer.policy.body:
            inner = layer(inner)
            if isinstance(layer, torch.nn.Tanh):
                shares.append(float((inner.abs() > 0.97).float().mean()))
    entropy = float(policy.entropy().double().mean())
    clipped = np.abs(batch.observations.numpy()) >= trainer.scale.clip
    return {
        "observation_clip_fraction": float(clipped.mean())
        if settings.normalise_observations
        else None,
        "entropy": entropy,
        "entropy_per_dimension": entropy / mean.shape[-1],
        "log_std_mean": float(log_std.mean()),
        "log_std_min": float(log_std.min()),
        "log_std_max": float(log_std.max()),
        "action_log_prob_mean": float(logp.double().mean()),
        "action_clip_fraction": float(((batch.actions < low) | (batch.actions > high)).mean()),
        "action_mean_clip_fraction": float(((mean < low) | (mean > high)).mean()),
        "saturated_units_fraction": float(np.mean(shares)),
        "trainable_parameters": sum(p.numel() for p in trainer.policy.parameters()),
        "max_kl": settings.max_kl,
        "damping": settings.damping,
        "gamma": settings.gamma,
        "lam": settings.lam,
        "cg_iters": settings.cg_iters,
        "vf_iters": settings.vf_iters,
        "vf_lr": settings.vf_lr,
    }


def _update_columns(trainer: Trainer, batch: Batch, done: Update) -> dict[str, Any]:
    row: dict[str, Any] = {
        "advantage_mean": float(done.flat.mean()),
        "advantage_std": float(done.flat.std(correction=0)),
        "gradient_norm": float(done.gradient.norm()),
        "gradient_norms": [None if part is None else float(part.norm()) for part in done.parts],
        "policy_parameter_norm": float(done.theta.norm()),
        "step_direction_norm": float(done.direction.norm()),
        "cg_iterations": len(done.residuals),
        "cg_residual": done.residuals[-1] if done.residuals else None,
        "cg_residuals": done.residuals,
        "cg_curvatures": done.curvatures,
        "cg_min_curvature": min(done.curvatures, default=None),
        "curvature": done.curvature,
        "gradient_dot_direction": float(done.gradient @ done.direction),
        "full_step_norm": float("nan"),
        "expected_improvement": float("nan"),
        "update_outcome": "skipped-non-finite",
        "step_fraction": 0.0,
        "actual_improvement": 0.0,
    }
    if done.full_step is not None:
        row["full_step_norm"] = float(done.full_step.norm())
        row["expected_improvement"] = float(done.gradient @ done.full_step)
    if done.fractions:
        row |= _search_columns(done, row["expected_improvement"])
    moved = float((done.after_search - done.theta).norm())
    return row | {"step_parameter_delta_norm": moved} | _change_columns(trainer, batch, done)


def _search_columns(done: Update, expected: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "update_outcome": "accepted" if done.accepted else "rejected",
        "line_search_success": done.accepted,
        "line_search_steps": len(done.fractions),
        "line_search_fractions": done.fractions,
        "line_search_gains": done.gains,
        "line_search_kls": done.kls,
        "kl_full_step": done.kls[0],
    }
    if done.accepted:
        fraction, gain = done.fractions[-1], done.gains[-1]
        row |= {"step_fraction": fraction, "actual_improvement": gain}
        row["improvement_ratio"] = gain / (fraction * expected) if expected else None
    return row


def _change_columns(trainer: Trainer, batch: Batch, done: Update) -> dict[str, Any]:
    """What the step made of the policy, before the critic is fitted."""
    states = batch.observations.reshape(len(done.flat), -1)
    actions = torch.from_numpy(batch.actions.reshape(len(done.flat), -1))
    with torch.no_grad():
        old, new = trainer.old_policy(states), trainer.policy(states)
        logp = trainer.log_prob(new, actions).double()
        kl = float(trainer.kl(old, new))
        start = policy_at(trainer, done.theta, states)
        before = trainer.log_prob(start, actions).double() - done.logp_old
    log_ratio = logp - done.logp_old
    ratio, ratio_before = log_ratio.exp(), before.exp()
    estimated = torch.from_numpy(batch.advantages.reshape(-1))
    standard = (estimated - estimated.mean()) / (estimated.std() + 1e-8)
    row = {
        "kl": kl,
        "entropy_after": float(new.entropy().double().mean()),
        "policy_loss_before": -float((ratio_before * done.flat).mean()),
        "policy_loss": -float((ratio * done.flat).mean()),
        "ratio_before_mean": float(ratio_before.mean()),
        "ratio_before_std": float(ratio_before.std(correction=0)),
        "ratio_mean": float(ratio.mean()),
        "ratio_std": float(ratio.std(correction=0)),
        "log_ratio_std": float(log_ratio.std(correction=0)),
        "advantage_log_ratio_mean": float((standard * log_ratio).mean()),
        "effective_sample_size": float(ratio.sum() ** 2 / (len(ratio) * (ratio**2).sum())),
    }
    number = trainer.iteration
    if number > 10 and number % 25 and done.accepted:
        return row
    shape = batch.rewards.shape
    return row | _window(batch, done.logp_old.reshape(shape), logp.reshape(shape))


def _window(batch: Batch, logp_old: Tensor, logp_new: Tensor) -> dict[str, Any]:
    """A stretch of the first environment that has an end of an episode in its middle."""
    ended = batch.terminated | batch.truncated
    steps = np.argwhere(ended)
    step, env = steps[len(steps) // 2] if len(steps) else (0, 0)
    start = int(np.clip(step - STRETCH // 2, 0, len(ended) - STRETCH))
    lists = {
        "reward": batch.rewards,
        "value": batch.values,
        "next_value": batch.next_values,
        "advantage": batch.advantages,
        "log_prob_old": logp_old.double().numpy(),
        "log_prob_new": logp_new.numpy(),
        "terminated": batch.terminated,
        "truncated": batch.truncated,
    }
    row: dict[str, Any] = {
        f"window_{name}": values[start : start + STRETCH, env].astype(float).tolist()
        for name, values in lists.items()
    }
    return row | {"window_environment": int(env), "window_start": start}


def _end_columns(trainer: Trainer, batch: Batch, done: Update, phi: Tensor) -> dict[str, Any]:
    """After the critic's fit."""
    values, _ = trainer.values(batch)
    theta = parameters_to_vector(trainer.policy.parameters()).detach()
    moved = parameters_to_vector(trainer.critic.parameters()).detach() - phi
    return _fit(batch, values, "_after") | {
        "value_parameter_delta_norm": float(moved.norm()),
        "parameter_delta_norm": float((theta - done.theta).norm()),
        "timesteps": trainer.timesteps,
        "episodes": trainer.episodes,
    }


def _drift_columns(
    trainer: Trainer, batch: Batch, done: Update, mean: Array, variance: Array
) -> dict[str, float]:
    """Did anything else move the policy, the normaliser with it? `mean`, `variance`: as sampled."""
    with torch.no_grad():
        accepted = policy_at(trainer, done.after_search, batch.observations)
        row = {"kl_drift": float(trainer.kl(accepted, trainer.policy(trainer.tensor(batch.raw))))}
    if trainer.settings.normalise_observations:
        shift = np.abs(trainer.scale.mean - mean) / np.sqrt(variance + 1e-8)
        row["observation_shift"] = float(shift.max())
    return row
