"""What a fault can make of the worlds: their rewards, observations, ends of episodes, likeness."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array, Batch, BatchStep, Facts, State
from agent.normaliser import Normaliser, empty
from agent.reward_normaliser import RewardNormaliser
from agent.reward_normaliser import empty as empty_rewards
from agent.sampling import Floats, sample_action
from agent.training import Training
from agent.value import Critic


class Changed:
    """A batch of worlds whose steps and observations are passed through two functions."""

    def __init__(
        self,
        batch: Batch,
        step: Callable[[BatchStep], BatchStep] = lambda step: step,
        observe: Callable[[Array], Array] = lambda observation: observation,
    ) -> None:
        self._batch = batch
        self._step = step
        self._observe = observe

    @property
    def worlds(self) -> int:
        return self._batch.worlds

    @property
    def facts(self) -> Facts:
        return self._batch.facts

    def reset(self, seed: int) -> Array:
        return self._observe(self._batch.reset(seed))

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        step = self._step(self._batch.step(action))
        final = {i: self._observe(reached) for i, reached in step.final_observation.items()}
        return replace(step, observation=self._observe(step.observation), final_observation=final)

    def state(self) -> State | None:
        return self._batch.state()

    def restore(self, state: State) -> Array:
        return self._observe(self._batch.restore(state))

    def close(self) -> None:
        self._batch.close()


def paying(batch: Batch, reward: Callable[[BatchStep], Array]) -> Changed:
    """The worlds with another reward, a function of the step; the true one is the term `true`."""

    def paid(step: BatchStep) -> BatchStep:
        return replace(step, reward=reward(step), reward_terms={"true": step.reward})

    return Changed(batch, step=paid)


def _reward(training: Training, reward: Callable[[BatchStep], Array]) -> None:
    training.batch = paying(training.batch, reward)


def constant_reward(training: Training, severity: float) -> None:
    _reward(training, lambda step: np.full_like(step.reward, severity))


def nan_reward(training: Training, severity: float) -> None:
    def lost(step: BatchStep) -> Array:
        return np.where(np.arange(len(step.reward)) < severity, np.nan, step.reward)

    _reward(training, lost)


def _chance(observation: Array) -> Array:
    """(worlds,) standard normal numbers that depend on nothing one could learn, and on no state of
    ours: a run that is resumed sees the same ones."""
    seeds = [zlib.crc32(row.tobytes()) for row in np.ascontiguousarray(observation)]
    return np.array([np.random.default_rng(seed).standard_normal() for seed in seeds])


def random_reward(training: Training, severity: float) -> None:
    _reward(training, lambda step: severity * _chance(step.observation))


class Unscaled:
    """A critic that works in a unit of its own for good, as one without value normalisation does."""

    def __init__(self, critic: Critic) -> None:
        self._critic = critic

    def __getattr__(self, name: str) -> Any:
        return getattr(self._critic, name)

    def rescale(self, factor: float) -> None:
        """Keep the unit."""

    def adopt(self, targets: Array) -> None:
        """Keep the unit."""


def scaled_reward(training: Training, severity: float) -> None:
    training.critic = Unscaled(training.critic)
    _reward(training, lambda step: severity * step.reward)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifting(RewardNormaliser):
    """A divisor that is `drift` times as large from batch to batch, whatever the rewards do."""

    drift: float
    factor: float = 1.0

    @property
    def scale(self) -> float:
        honest: float = RewardNormaliser.scale.fget(self)  # type: ignore[attr-defined]  # a property
        return honest * self.factor

    def updated(self, reward: Array, ended: NDArray[np.bool_], gamma: float) -> "RewardNormaliser":
        moved = RewardNormaliser.updated(self, reward, ended, gamma)
        return replace(moved, factor=self.factor * self.drift)  # type: ignore[call-arg]  # a Drifting


def drifting_reward_scale(training: Training, severity: float) -> None:
    known = training.reward_normaliser or empty_rewards(training.batch.worlds)
    training.critic = Unscaled(training.critic)
    training.reward_normaliser = Drifting(
        count=known.count,
        mean=known.mean,
        variance=known.variance,
        carry=known.carry,
        drift=severity,
    )


class EndsAfter(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment whose episodes end after so many steps, whatever happened in them."""

    def __init__(self, env: gymnasium.Env[Any, Any], steps: int) -> None:
        super().__init__(env)
        self._steps, self._age = steps, 0

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        self._age = 0
        return self.env.reset(**arguments)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._age += 1
        return observation, reward, terminated or self._age >= self._steps, truncated, info


def instant_termination(training: Training, severity: float) -> None:
    from agent.envs.gym import GymBatch, make_one, versioned

    env_id, facts = versioned(training.config.env), training.batch.facts
    worlds = [
        EndsAfter(make_one(env_id, training.config.env_args), round(severity))
        for _ in range(training.batch.worlds)
    ]
    training.batch = GymBatch(worlds, facts)
    training.begin_anew()


class Copies:
    """One world that is shown `worlds` times."""

    def __init__(self, batch: Batch, worlds: int) -> None:
        self._batch = batch
        self.worlds = worlds

    @property
    def facts(self) -> Facts:
        return self._batch.facts

    def reset(self, seed: int) -> Array:
        return np.repeat(self._batch.reset(seed), self.worlds, axis=0)

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        step, n = self._batch.step(action[:1]), self.worlds
        return BatchStep(
            observation=np.repeat(step.observation, n, axis=0),
            reward=np.repeat(step.reward, n),
            terminated=np.repeat(step.terminated, n),
            truncated=np.repeat(step.truncated, n),
            final_observation={i: x for x in step.final_observation.values() for i in range(n)},
            staggered=tuple(range(n)) if step.staggered else (),
        )

    def state(self) -> State | None:
        return self._batch.state()

    def restore(self, state: State) -> Array:
        return np.repeat(self._batch.restore(state), self.worlds, axis=0)

    def close(self) -> None:
        self._batch.close()


def duplicate_environments(training: Training, _severity: float) -> None:
    from agent.envs.gym import make_batch

    def alike(mean: Floats, log_std: Floats, noise: Floats) -> Floats:
        return sample_action(mean, log_std, np.broadcast_to(noise[:1], noise.shape))

    one = make_batch(training.config.env, 1, training.config.env_args)
    training.batch = Copies(one, training.batch.worlds)
    training.parts = replace(training.parts, sample_action=alike)
    training.begin_anew()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen(Normaliser):
    """Moments that no batch moves any more."""

    def updated(self, observations: NDArray[np.float64]) -> "Normaliser":  # noqa: ARG002 as given
        return self


def observation_blow_up(training: Training, severity: float) -> None:
    known = training.normaliser
    if known is not None:
        if not known.count:
            known = empty(training.batch.facts.observation_dim)
        training.normaliser = Frozen(count=known.count, mean=known.mean, variance=known.variance)
    training.batch = Changed(training.batch, observe=lambda seen: severity * seen)


def dead_observation(training: Training, severity: float) -> None:
    dim = training.batch.facts.observation_dim
    alive = np.arange(dim) >= round(severity * dim)
    training.batch = Changed(training.batch, observe=lambda seen: np.where(alive, seen, 0.0))
