"""One batch of experience: every world stepped side by side under the policy in force."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array, Batch
from agent.networks import Actor
from agent.normaliser import CLIP, Normaliser

Floats = NDArray[np.float32]
SampleAction = Callable[[Floats, Floats, Floats], Floats]
"""Mean, log σ and standard normal noise → actions, (worlds, action_dim) each."""


class Interrupted(Exception):  # noqa: N818 it is no error
    """Sampling was asked to stop in the middle of a batch; nothing has been learnt from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Episodes that have not ended yet. `returns`, `lengths`: (worlds,)."""

    observation: Array
    returns: Array
    lengths: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An episode that ended in this batch. `length` in steps, `total` its undiscounted return."""

    total: float
    length: int
    terminated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A batch of T steps of each of E worlds.

    `raw` (T, E, observation_dim) float64: observations in the environment's units.
    `observation` (T, E, observation_dim) float32: the same, normalised and clipped.
    `action`, `mean`, `log_std` (T, E, action_dim) float32: before clipping to the bounds.
    `reward` (T, E); `terminated`, `truncated` (T, E).
    `reward_terms`: mean of each over all steps, so that those of all terms make up the reward's.
    `final` maps (t, world) to the raw observation an ended episode reached; `last` (E, …) is raw.
    """

    raw: Array
    observation: Floats
    action: Floats
    mean: Floats
    log_std: Floats
    reward: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    final: Mapping[tuple[int, int], Array]
    last: Array
    episodes: tuple[Episode, ...]
    reward_terms: Mapping[str, float] = field(default_factory=dict)
    clipped_fraction: float | None = None

    @property
    def ended(self) -> NDArray[np.bool_]:
        return self.terminated | self.truncated


def start(observation: Array) -> Running:
    """Every world at the beginning of an episode."""
    worlds = len(observation)
    return Running(
        observation=observation,
        returns=np.zeros(worlds),
        lengths=np.zeros(worlds, dtype=np.int64),
    )


def normalised(raw: Array, normaliser: Normaliser | None) -> Floats:
    """What the networks see of raw observations (…, observation_dim)."""
    if normaliser is None:
        return raw.astype(np.float32)
    return _seen(raw, normaliser.mean, normaliser.factor).astype(np.float32)


def _seen(raw: Array, mean: Array, factor: Array) -> Array:
    """Observations in σ, held to ±CLIP."""
    scaled = raw - mean
    scaled *= factor
    np.maximum(scaled, -CLIP, out=scaled)
    np.minimum(scaled, CLIP, out=scaled)
    return scaled


def sample_action(mean: Floats, log_std: Floats, noise: Floats) -> Floats:
    """Actions of a Gaussian policy from standard normal noise of the same shape."""
    spread: Floats = np.exp(log_std)
    return mean + spread * noise


def sample(
    batch: Batch,
    running: Running,
    actor: Actor,
    normaliser: Normaliser | None,
    noise: Floats,
    act: SampleAction,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[Rollout, Running]:
    """Step every world len(noise) times. `noise`: (T, worlds, action_dim), standard normal.

    Nothing but array operations on (worlds, …) happens in a step: what the update needs besides is
    computed for the whole batch afterwards. Raises Interrupted between two steps as soon as
    `interrupted()` says so; what an environment raises is told the step it happened in.
    """
    T, E, A = noise.shape
    facts = batch.facts
    low, high = facts.action_low, facts.action_high
    raw = np.empty((T, E, facts.observation_dim))
    observation = np.empty((T, E, facts.observation_dim), dtype=np.float32)
    action, mean, log_std = (np.empty((T, E, A), dtype=np.float32) for _ in range(3))
    reward = np.empty((T, E))
    terminated, truncated = np.zeros((T, E), dtype=bool), np.zeros((T, E), dtype=bool)
    final: dict[tuple[int, int], Array] = {}
    terms: dict[str, list[Array]] = {}
    episodes: list[Episode] = []
    now, returns, lengths = running.observation, running.returns.copy(), running.lengths.copy()
    moments = None if normaliser is None else (normaliser.mean, normaliser.factor)
    for t in range(T):
        if interrupted():
            raise Interrupted
        raw[t] = now
        observation[t] = now if moments is None else _seen(now, *moments)
        mean[t], log_std[t] = actor(observation[t])
        chosen = action[t] = act(mean[t], log_std[t], noise[t])
        try:
            step = batch.step(np.minimum(np.maximum(chosen, low), high))
        except Exception as error:
            error.add_note(f"in step {t + 1} of {T} of the batch")
            raise
        reward[t], terminated[t], truncated[t] = step.reward, step.terminated, step.truncated
        now = step.observation
        for name, value in step.reward_terms.items():
            terms.setdefault(name, []).append(value)
        returns += step.reward
        lengths += 1
        for i, reached in step.final_observation.items():
            final[t, i] = reached
            if i not in step.staggered:
                episodes.append(
                    Episode(
                        total=float(returns[i]),
                        length=int(lengths[i]),
                        terminated=bool(step.terminated[i]),
                    )
                )
            returns[i], lengths[i] = 0.0, 0
    rollout = Rollout(
        raw=raw,
        observation=observation,
        action=action,
        mean=mean,
        log_std=log_std,
        reward=reward,
        terminated=terminated,
        truncated=truncated,
        final=final,
        last=now,
        episodes=tuple(episodes),
        reward_terms={name: float(np.sum(values)) / reward.size for name, values in terms.items()},
        clipped_fraction=None if normaliser is None else _clipped(observation),
    )
    return rollout, Running(observation=now, returns=returns, lengths=lengths)


def _clipped(observation: Floats) -> float:
    """Fraction of the numbers that stand at ±CLIP."""
    return float(np.count_nonzero(np.abs(observation) >= CLIP)) / max(1, observation.size)
