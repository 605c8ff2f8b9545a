"""Several worlds stepped together: what the agent asks of an environment."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
State = dict[str, Any]
"""Nested dicts and lists of numpy arrays, numbers and text."""

NEVER = np.iinfo(np.int64).max
"""A number of steps no episode reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an environment says about itself. Bounds: (action_dim,), infinite where there are none."""

    env_id: str | None
    env_args: Mapping[str, Any] = field(default_factory=dict)
    observation_dim: int
    action_low: NDArray[np.float32]
    action_high: NDArray[np.float32]
    horizon: int | None = None
    """Time limit of an episode, steps."""
    solved_return: float | None = None
    """Return at which the environment declares itself solved."""

    @property
    def action_dim(self) -> int:
        return len(self.action_low)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStep:
    """One step of every world; a world whose episode ended has already been reset.

    `observation` (worlds, observation_dim): to act upon next. `reward` (worlds,).
    `terminated`, `truncated` (worlds,): a terminal state is never also a truncation.
    `final_observation`: by world whose episode ended, what it reached before the reset.
    `reward_terms`: parts of the reward by name, (worlds,) each.
    `staggered`: worlds cut before the time limit, so that they do not end in step from then on.
    Each is truncated too; what it was paid is the return of no whole episode.
    """

    observation: Array
    reward: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    final_observation: Mapping[int, Array]
    reward_terms: Mapping[str, Array] = field(default_factory=dict)
    staggered: Collection[int] = ()


class Batch(Protocol):
    """`worlds` environments of one kind."""

    @property
    def worlds(self) -> int: ...
    @property
    def facts(self) -> Facts: ...

    def reset(self, seed: int) -> Array:
        """Start an episode in every world, with generators derived from `seed`.

        Where episodes have a time limit, the first ones are staggered: see `first_limits`.
        """

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        """Act in every world: (worlds, action_dim), inside the bounds."""

    def state(self) -> State | None:
        """Everything the worlds' future depends on; None where they cannot hand it over."""

    def restore(self, state: State) -> Array:
        """Go on from a `state()` of a like batch; the observations to act upon next."""

    def close(self) -> None: ...


def first_limits(worlds: int, horizon: int | None) -> NDArray[np.int64]:
    """Steps after which the first episode of each world is cut, spread evenly over the horizon.

    Worlds with a fixed horizon started together would end together for ever, and every so many
    batches would hold all the ends and the others none. The last world has its full episode.
    """
    if horizon is None:
        return np.full(worlds, NEVER)
    return -(-horizon * np.arange(1, worlds + 1) // worlds)


def world_seeds(seed: int, worlds: int) -> list[int]:
    """One seed for each world, independent of each other and reproducible."""
    return [int(np.random.SeedSequence([seed, i]).generate_state(1)[0]) for i in range(worlds)]


def generator_text(generator: np.random.Generator) -> str:
    """The state of a random generator as JSON."""
    return json.dumps(generator.bit_generator.state)


def set_generator(generator: np.random.Generator, text: str) -> None:
    """Bring a generator of the same kind to the state `generator_text` told."""
    generator.bit_generator.state = json.loads(text)
