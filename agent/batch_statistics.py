"""What a batch shows before anything is learnt from it: rewards, observations, the sampling policy."""

import numpy as np
import torch

from agent import gaussian
from agent.columns import SamplingColumns
from agent.envs.batch import Array, Facts
from agent.gaussian import Gaussian
from agent.parts import Experience
from agent.reward_model import held_out_r2
from agent.reward_normaliser import TrainingReward
from agent.sampling import Rollout
from agent.trpo import OCCASIONALLY

LISTED = 64
"""Episodes a row lists one by one, the latest."""


def sampling_columns(
    rollout: Rollout,
    trained: TrainingReward,
    pi: Gaussian,
    saturated_fraction: float | None,
    experience: Experience,
    facts: Facts,
    iteration: int,
) -> SamplingColumns:
    """`trained`: what the advantages see of the reward. `pi`: of the policy that sampled, on the
    batch, float64."""
    totals = np.array([episode.total for episode in rollout.episodes])
    lengths = np.array([float(episode.length) for episode in rollout.episodes])
    some = len(totals) > 0
    reward = rollout.reward
    spread = rollout.raw.reshape(-1, facts.observation_dim).std(axis=0)
    largest = np.max(np.abs(rollout.raw), axis=(0, 1))
    dead = spread <= 32 * np.finfo(np.float64).eps * largest
    entropy = float(gaussian.entropy(pi).mean())
    return SamplingColumns(
        batch_size=reward.size,
        episode_return_mean=float(totals.mean()) if some else None,
        episode_return_std=float(totals.std()) if some else None,
        episode_return_min=float(totals.min()) if some else None,
        episode_return_max=float(totals.max()) if some else None,
        episode_length_mean=float(lengths.mean()) if some else None,
        episode_length_median=float(np.median(lengths)) if some else None,
        episodes_terminated=sum(episode.terminated for episode in rollout.episodes),
        episodes_truncated=sum(not episode.terminated for episode in rollout.episodes),
        episode_returns=totals[-LISTED:].tolist(),
        episode_lengths=lengths[-LISTED:].tolist(),
        reward_mean=float(reward.mean()),
        reward_std=float(reward.std()),
        reward_min=float(reward.min()),
        reward_max=float(reward.max()),
        reward_train_mean=float(trained.values.mean()),
        reward_train_std=float(trained.values.std()),
        reward_train_min=float(trained.values.min()),
        reward_train_max=float(trained.values.max()),
        reward_scale=trained.scale,
        reward_clip_fraction=trained.clip_fraction,
        reward_r2=held_out_r2(rollout) if iteration % OCCASIONALLY == 1 else None,
        observation_std_min=float(spread.min()),
        observation_std_max=float(spread.max()),
        observation_abs_max=float(largest.max()),
        observation_dead_dimensions=int(dead.sum()),
        observation_clip_fraction=rollout.clipped_fraction,
        entropy=entropy,
        entropy_per_dimension=entropy / facts.action_dim,
        log_std_mean=float(pi.log_std.mean()),
        log_std_min=float(pi.log_std.min()),
        log_std_max=float(pi.log_std.max()),
        action_log_prob_mean=float(experience.log_prob.mean()),
        action_clip_fraction=_outside(rollout.action, facts),
        action_mean_clip_fraction=_outside(rollout.mean, facts),
        saturated_units_fraction=saturated_fraction,
    )


def _outside(action: Array | np.ndarray, facts: Facts) -> float:
    return float(np.mean((action < facts.action_low) | (action > facts.action_high)))


def sampled_distribution(rollout: Rollout) -> Gaussian:
    """The distributions the actions were drawn from, (N, action_dim) float64."""
    dim = rollout.mean.shape[-1]
    return Gaussian(
        mean=torch.from_numpy(rollout.mean.reshape(-1, dim)).double(),
        log_std=torch.from_numpy(rollout.log_std.reshape(-1, dim)).double(),
    )
