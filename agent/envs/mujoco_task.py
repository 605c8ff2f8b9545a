"""What a MuJoCo task is: observation, reward and end of an episode, for many worlds at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array

Fields = Mapping[str, Array]
"""MjData's fields by name: (worlds, …) each."""
Rows = slice | NDArray[np.int64]
"""Which worlds."""
ALL = slice(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a task starts from. `qpos` (nq,), `qvel` (nv,), `body_mass` (nbody,): the model's."""

    qpos: Array
    qvel: Array
    body_mass: Array
    body_id: Callable[[str | int], int]
    """Id of a body, from its name or its id."""
    dt: float
    """Length of one step, s."""
    settings: Mapping[str, Any]
    """Arguments of Gymnasium's constructor by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """What a step brought. `reward`, `terminated` (worlds,); `terms`: its parts by name, in
    whatever type Gymnasium computes them."""

    reward: Array
    terms: Mapping[str, NDArray[Any]]
    terminated: NDArray[np.bool_]


class Task(ABC):
    """One task. `derived`: the fields it reads beside qpos, qvel and ctrl."""

    derived: tuple[str, ...] = ()
    contact_forces = False
    """Whether it reads cfrc_ext."""
    normal_velocities = False
    """Whether an episode starts with normally distributed velocities, not uniform ones."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.settings = origin.settings

    def draw(self, generator: np.random.Generator) -> tuple[Array, Array]:
        """Positions (nq,) and velocities (nv,) an episode starts with."""
        scale = self.settings["reset_noise_scale"]
        qpos, qvel = self.origin.qpos, self.origin.qvel
        moved = qpos + generator.uniform(low=-scale, high=scale, size=len(qpos))
        if self.normal_velocities:
            return moved, qvel + scale * generator.standard_normal(len(qvel))
        return moved, qvel + generator.uniform(low=-scale, high=scale, size=len(qvel))

    @abstractmethod
    def observe(self, now: Fields, rows: Rows) -> Array:
        """(worlds of `rows`, observation_dim)."""

    def place(self, now: Fields, rows: Rows) -> Array:
        """Where the worlds are, (worlds,) or (worlds, 2): a copy."""
        return now["qpos"][rows, 0].copy()

    @abstractmethod
    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:
        """What a step brought to every world. `velocity`: mean one of the places, 1/s."""


def lines(values: Array) -> Array:
    """(worlds, …) as (worlds, numbers)."""
    return values.reshape(len(values), -1)


def squares(values: NDArray[Any]) -> NDArray[Any]:
    """Sum of squares of each world, in the values' own type: (worlds,)."""
    total: NDArray[Any] = np.add.reduce(np.square(lines(values)), axis=1)
    return total


def powers(values: Array) -> Array:
    """Squares of (worlds,) numbers as the power function rounds them, which is not as x·x does."""
    return np.array([value**2 for value in values])
