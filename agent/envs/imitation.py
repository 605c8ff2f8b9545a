"""Imitating a motion as a MuJoCo task: what DPEnv and its batches share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.humanoid import CONTROL_RATE, PARTS, STANDING_HEIGHT, humanoid
from agent.envs.imitation_reward import REWARDS, angles, heading, places, turned_back
from agent.envs.mujoco_task import ALL, Fields, Pay, Rows, Start, Task
from agent.envs.reference import Reference

FAR = 1.0
"""m; a body this far from where the reference has it ends the episode."""


class Imitation(Task):
    """Many humanoids, each at a row of the reference. The physics' own time tells the row of the reference."""

    derived = ("xpos", "geom_xpos", "geom_xmat", "sensordata", "actuator_length")
    up_to_date = True

    def __init__(
        self,
        of: Reference,
        reward: str,
        reward_noise: float,
        action: str,
        action_scale: float,
    ) -> None:
        self.reference = of
        self._terms, self._noise = REWARDS[reward], reward_noise
        self._residual, self._scale = action == "residual", action_scale
        self._places = places()
        lengths = of.fields["actuator_length"]
        self._next = np.concatenate((lengths[1:], lengths[-1:]))
        model = humanoid()
        fall = [part for part, falls in zip(PARTS, of.falls, strict=True) if falls]
        self._shapes = np.array([model.geom(part.name).id for part in fall], dtype=np.int64)
        radius, half = model.geom_size[self._shapes, 0], model.geom_size[self._shapes, 1]
        self._radius = radius
        self._half = np.where([part.shape == "capsule" for part in fall], half, 0.0)

    def row(self, now: Fields, rows: Rows = ALL) -> NDArray[np.int64]:
        """Rows of the reference the worlds are at: (worlds,)."""
        row = np.rint(now["time"][rows] * CONTROL_RATE).astype(np.int64)
        return np.minimum(row, self.reference.rows - 1)

    def wanted(self, row: NDArray[np.int64]) -> dict[str, Array]:
        """Fields of the reference at some rows."""
        return {name: values[row] for name, values in self.reference.fields.items()}

    def draw(self, generator: np.random.Generator) -> Start:
        """Reference state initialisation: on the reference, anywhere in its first cycle."""
        return self.start(int(generator.integers(self.reference.starts)))

    def start(self, row: int) -> Start:
        """On the reference, at one of its rows."""
        fields = self.reference.fields
        return Start(qpos=fields["qpos"][row], qvel=fields["qvel"][row], time=row / CONTROL_RATE)

    def standing(self) -> Start:
        """Upright and at rest, where and when the reference is most like it."""
        fields, of, model = self.reference.fields, self._places, humanoid()
        first = slice(self.reference.starts)
        qpos = model.qpos0.copy()
        away = angles(fields["qpos"][first][:, of.balls], qpos[of.balls]) ** 2
        c, s = heading(fields["qpos"][first, 3:7])
        upright = np.stack((c, 0 * c, 0 * c, s), axis=1)
        away[:, 0] = angles(fields["qpos"][first, 3:7], upright) ** 2  # whichever way it faces
        row = int(np.argmin(away @ of.ball_weights))
        half = heading(fields["qpos"][row, 3:7])
        qpos[:2], qpos[2] = fields["qpos"][row, :2], STANDING_HEIGHT
        qpos[3:7] = half[0], 0.0, 0.0, half[1]
        return Start(qpos=qpos, qvel=np.zeros(model.nv), time=row / CONTROL_RATE)

    def control(self, now: Fields, action: NDArray[np.float32]) -> NDArray[Any]:
        """Targets of the servos, rad: (worlds, 28)."""
        moved = self._scale * np.asarray(action, dtype=np.float64)
        if not self._residual:
            return moved
        targets: Array = self._next[self.row(now)] + moved
        return targets

    def observe(self, now: Fields, rows: Rows) -> Array:
        qpos, qvel, row = now["qpos"][rows], now["qvel"][rows], self.row(now, rows)
        wanted = self.reference.fields["qpos"][row]
        # A clip that is held at its end is somewhere else there than at its start.
        whole = 2 * np.pi if self.reference.clip.loops else np.pi
        turn = whole * self.reference.phase[row]
        half = c, s = heading(qpos[:, 3:7])
        w, x, y, z = qpos[:, 3:7].T
        velocity = turned_back(qvel[:, 0], qvel[:, 1], half)
        away = turned_back(wanted[:, 0] - qpos[:, 0], wanted[:, 1] - qpos[:, 1], half)
        c_wanted, s_wanted = heading(wanted[:, 3:7])
        error = 2 * np.arctan2(s_wanted * c - c_wanted * s, c_wanted * c + s_wanted * s)
        columns = (
            qpos[:, 2],
            c * w + s * z,
            c * x + s * y,
            c * y - s * x,
            *velocity,
            *away,
            np.cos(error),
            np.sin(error),
            np.cos(turn),
            np.sin(turn),
        )
        joints = now["actuator_length"][rows]
        return np.concatenate((np.stack(columns, axis=1), joints, qvel[:, 2:]), axis=1)

    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:  # noqa: ARG002
        wanted = self.wanted(self.row(now))
        terms = self._terms(now, wanted, self._places)
        return Pay(
            reward=np.sum(list(terms.values()), axis=0),
            terms=terms,
            terminated=self.fallen(now) | self.strayed(now, wanted),
        )

    def fallen(self, now: Fields) -> NDArray[np.bool_]:
        """Worlds where a body touches the ground that the clip does not bring there."""
        height, tilt = now["geom_xpos"][:, self._shapes, 2], now["geom_xmat"][:, self._shapes, 8]
        touching = height - self._radius - self._half * np.abs(tilt) < 0
        fallen: NDArray[np.bool_] = touching.any(axis=1)
        return fallen

    def strayed(self, now: Fields, wanted: Fields) -> NDArray[np.bool_]:
        """Worlds where a body is FAR from where the reference has it, or nowhere at all."""
        apart = ((now["xpos"][:, 1:] - wanted["xpos"][:, 1:]) ** 2).sum(axis=2)
        near: NDArray[np.bool_] = (apart <= FAR**2).all(axis=1)
        return ~near

    def disturbed(self, pay: Pay, generators: Sequence[np.random.Generator]) -> Pay:
        if not self._noise:
            return pay
        noise = [generator.normal(0.0, self._noise) for generator in generators]
        reward: Array = np.maximum(0.0, pay.reward + noise)
        return replace(pay, reward=reward, terms={**pay.terms, "noise": reward - pay.reward})
