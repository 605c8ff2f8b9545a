"""Values, λ-returns and generalised advantages of a batch (Schulman et al. 2016, arXiv 1506.02438)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.normaliser import Normaliser
from agent.sampling import Rollout, normalised
from agent.value import Critic

ROUNDING = 32
"""Advantages spread by at most this many units in the last place of |r| or |V| are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """V along a rollout, training units, (T, E) each.

    `next`: V of the following observation; of the final observation where the episode ended.
    """

    now: Array
    next: Array


class AdvantageEstimator(Protocol):
    """Raw advantages (T, E) of rewards, values and episode ends."""

    def __call__(
        self,
        *,
        reward: Array,
        values: Values,
        terminated: NDArray[np.bool_],
        ended: NDArray[np.bool_],
        gamma: float,
        lam: float,
    ) -> Array: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Advantages:
    """What estimation returned. Arrays are (T, E); the other fields are columns of the log."""

    raw: Array
    used: Array
    """What the gradient uses: standardised, or only centred when the spread is rounding."""
    targets: Array
    """λ-returns: raw advantage + V."""
    finite: bool
    alive: bool
    """Whether the spread is above rounding level."""
    return_mean: float
    return_std: float
    return_min: float
    return_max: float
    advantage_raw_mean: float
    advantage_raw_std: float
    advantage_raw_min: float
    advantage_raw_max: float
    advantage_mean: float
    advantage_std: float

    @property
    def standardised(self) -> Array:
        """(T, E) what a correct update uses: `raw` with mean 0, and deviation 1 where it is alive."""
        centred = self.raw - self.advantage_raw_mean
        return centred / self.advantage_raw_std if self.alive else centred


def evaluate(critic: Critic, rollout: Rollout, normaliser: Normaliser | None) -> Values:
    """V of every observation, of what follows it, and of the last one reached."""
    now = critic.values(rollout.observation)
    ends = list(rollout.final)
    after = np.concatenate(
        [rollout.last, np.stack([rollout.final[end] for end in ends])] if ends else [rollout.last]
    )
    reached = critic.values(normalised(after, normaliser))
    worlds = now.shape[1]
    following = np.concatenate([now[1:], reached[None, :worlds]])
    for end, value in zip(ends, reached[worlds:], strict=True):
        following[end] = value
    return Values(now=now, next=following)


def generalised_advantages(
    *,
    reward: Array,
    values: Values,
    terminated: NDArray[np.bool_],
    ended: NDArray[np.bool_],
    gamma: float,
    lam: float,
) -> Array:
    """A_t = δ_t + γλ(1 − end_t)A_{t+1}, δ_t = r_t + γV(s_{t+1})(1 − terminated_t) − V(s_t): (T, E).

    A truncated episode and the end of the batch bootstrap on V; a terminal state does not.
    """
    delta = reward + gamma * values.next * ~terminated - values.now
    carry = gamma * lam * ~ended
    advantage = np.empty_like(delta)
    following = np.zeros(delta.shape[1])
    for t in range(len(delta) - 1, -1, -1):
        following = delta[t] + carry[t] * following
        advantage[t] = following
    return advantage


def estimate(
    estimator: AdvantageEstimator,
    rollout: Rollout,
    reward: Array,
    values: Values,
    *,
    gamma: float,
    lam: float,
    eps: float,
) -> Advantages:
    """Advantages and value targets of a rollout. `reward` (T, E): in training units.
    `eps`: of the policy's floating-point type."""
    raw = estimator(
        reward=reward,
        values=values,
        terminated=rollout.terminated,
        ended=rollout.ended,
        gamma=gamma,
        lam=lam,
    )
    targets = raw + values.now
    mean, std = float(raw.mean()), float(raw.std())
    scale = max(float(np.max(np.abs(reward))), float(np.max(np.abs(values.now))))
    finite = bool(np.isfinite(raw).all())
    alive = finite and std > ROUNDING * eps * scale
    used = (raw - mean) / std if alive else raw - mean
    return Advantages(
        raw=raw,
        used=used,
        targets=targets,
        finite=finite,
        alive=alive,
        return_mean=float(targets.mean()),
        return_std=float(targets.std()),
        return_min=float(targets.min()),
        return_max=float(targets.max()),
        advantage_raw_mean=mean,
        advantage_raw_std=std,
        advantage_raw_min=float(raw.min()),
        advantage_raw_max=float(raw.max()),
        advantage_mean=float(used.mean()),
        advantage_std=float(used.std()),
    )
