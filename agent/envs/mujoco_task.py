"""What a MuJoCo task is: observation, reward and end of an episode, for many worlds at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
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
    settings: Mapping[str, Any]
    """Arguments of Gymnasium's constructor by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How an episode begins. `qpos` (nq,), `qvel` (nv,); `time` of the physics, s."""

    qpos: Array
    qvel: Array
    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """What a step brought. `reward`, `terminated` (worlds,); `terms`: its parts by name, in
    whatever type Gymnasium computes them."""

    reward: Array
    terms: Mapping[str, NDArray[Any]]
    terminated: NDArray[np.bool_]


class Task(ABC):
    """One task. `derived`: the fields it reads beside qpos, qvel, time and ctrl."""

    derived: tuple[str, ...] = ()
    contact_forces = False
    """Whether it reads cfrc_ext."""
    up_to_date = False
    """Whether derived fields are those of the state a step reaches. Gymnasium's are those of the
    state before its last substep, as MuJoCo leaves them."""

    @abstractmethod
    def draw(self, generator: np.random.Generator) -> Start:
        """How an episode begins."""

    def control(self, now: Fields, action: NDArray[np.float32]) -> NDArray[Any]:  # noqa: ARG002
        """What the actuators are set to: (worlds, nu)."""
        return action

    @abstractmethod
    def observe(self, now: Fields, rows: Rows) -> Array:
        """(worlds of `rows`, observation_dim)."""

    def place(self, now: Fields, rows: Rows) -> Array:
        """Where the worlds are, (worlds,) or (worlds, 2), m: a copy."""
        return now["qpos"][rows, 0].copy()

    @abstractmethod
    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:
        """What a step brought to every world. `velocity`: mean one of the places, 1/s."""

    def disturbed(self, pay: Pay, generators: Sequence[np.random.Generator]) -> Pay:  # noqa: ARG002
        """The same with the noise of each world's own generator, if there is any."""
        return pay


class GymnasiumTask(Task):
    """A task of Gymnasium's: it starts near the model's own pose."""

    normal_velocities = False
    """Whether an episode starts with normally distributed velocities, not uniform ones."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.settings = origin.settings

    def draw(self, generator: np.random.Generator) -> Start:
        scale = self.settings["reset_noise_scale"]
        qpos, qvel = self.origin.qpos, self.origin.qvel
        moved = qpos + generator.uniform(low=-scale, high=scale, size=len(qpos))
        if self.normal_velocities:
            noise = scale * generator.standard_normal(len(qvel))
        else:
            noise = generator.uniform(low=-scale, high=scale, size=len(qvel))
        return Start(qpos=moved, qvel=qvel + noise)


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
