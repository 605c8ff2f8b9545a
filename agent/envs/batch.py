"""Several worlds stepped together: what the agent asks of an environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
    """

    observation: Array
    reward: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    final_observation: Mapping[int, Array]
    reward_terms: Mapping[str, Array] = field(default_factory=dict)


class Batch(Protocol):
    """`worlds` environments of one kind."""

    @property
    def worlds(self) -> int: ...
    @property
    def facts(self) -> Facts: ...

    def reset(self, seed: int) -> Array:
        """Start an episode in every world, with generators derived from `seed`."""

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        """Act in every world: (worlds, action_dim), inside the bounds."""

    def close(self) -> None: ...
