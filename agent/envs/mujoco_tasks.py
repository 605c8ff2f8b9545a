"""Gymnasium's nine MuJoCo tasks (v5) written out for many worlds at once.

Every number that can be set is looked up in the arguments of Gymnasium's own constructor. Sums run
in the order Gymnasium's do, so that nothing differs, not even in the last bit.
"""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.mujoco_task import (
    ALL,
    Fields,
    GymnasiumTask,
    Pay,
    Rows,
    Start,
    lines,
    powers,
    squares,
)


class Runner(GymnasiumTask):
    """Tasks paid for the velocity of the first joint, less the cost of control."""

    hidden = 1
    """Positions that are not observed, unless one asks for them."""
    fastest = np.inf
    """Observed velocities are held to this."""

    def observe(self, now: Fields, rows: Rows) -> Array:
        excluded = self.settings["exclude_current_positions_from_observation"]
        velocity = now["qvel"][rows]
        if np.isfinite(self.fastest):
            velocity = np.clip(velocity, -self.fastest, self.fastest)
        return np.concatenate((now["qpos"][rows, self.hidden * bool(excluded) :], velocity), axis=1)

    def healthy(self, now: Fields) -> NDArray[np.bool_] | None:  # noqa: ARG002 for those that fall
        """Worlds that have not fallen; None where nothing can fall."""
        return None

    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:
        forward = self.settings["forward_reward_weight"] * velocity
        cost = self.settings["ctrl_cost_weight"] * squares(action)
        terms = {"forward": forward, "ctrl": -cost}
        healthy = self.healthy(now)
        if healthy is None:
            nowhere = np.zeros(len(forward), dtype=bool)
            return Pay(reward=forward - cost, terms=terms, terminated=nowhere)
        terms["survive"] = healthy * self.settings["healthy_reward"]
        return Pay(
            reward=forward + terms["survive"] - cost,
            terms=terms,
            terminated=~healthy & self.settings["terminate_when_unhealthy"],
        )


class HalfCheetah(Runner):
    """Gymnasium's HalfCheetah: nothing ends an episode but the time limit."""

    normal_velocities = True


class Swimmer(Runner):
    """Gymnasium's Swimmer."""

    hidden = 2


class Walker2d(Runner):
    """Gymnasium's Walker2d: falls when too low, too high or too inclined."""

    fastest = 10.0

    def healthy(self, now: Fields) -> NDArray[np.bool_]:
        z, angle = now["qpos"][:, 1], now["qpos"][:, 2]
        low, high = self.settings["healthy_z_range"]
        back, front = self.settings["healthy_angle_range"]
        up: NDArray[np.bool_] = (low < z) & (z < high) & (back < angle) & (angle < front)
        return up


class Hopper(Walker2d):
    """Gymnasium's Hopper: falls as the walker does, or when anything moves too far."""

    def healthy(self, now: Fields) -> NDArray[np.bool_]:
        low, high = self.settings["healthy_state_range"]
        state = np.concatenate((now["qpos"], now["qvel"]), axis=1)[:, 2:]
        inside: NDArray[np.bool_] = ((low < state) & (state < high)).all(axis=1)
        return super().healthy(now) & inside


class InvertedPendulum(GymnasiumTask):
    """Gymnasium's InvertedPendulum."""

    def observe(self, now: Fields, rows: Rows) -> Array:
        return np.concatenate((now["qpos"][rows], now["qvel"][rows]), axis=1)

    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:  # noqa: ARG002
        observation = self.observe(now, ALL)
        fallen = ~np.isfinite(observation).all(axis=1) | (np.abs(observation[:, 1]) > 0.2)
        upright = (~fallen).astype(np.float64)
        return Pay(reward=upright, terms={"survive": upright}, terminated=fallen)


class InvertedDoublePendulum(GymnasiumTask):
    """Gymnasium's InvertedDoublePendulum."""

    derived = ("site_xpos", "qfrc_constraint")
    normal_velocities = True

    def observe(self, now: Fields, rows: Rows) -> Array:
        qpos = now["qpos"][rows]
        angles = np.ascontiguousarray(qpos[:, 1:])
        return np.concatenate(
            (
                qpos[:, :1],
                np.sin(angles),
                np.cos(angles),
                np.clip(now["qvel"][rows], -10, 10),
                np.clip(now["qfrc_constraint"][rows, :1], -10, 10),
            ),
            axis=1,
        )

    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:  # noqa: ARG002
        x, _, y = now["site_xpos"][:, 0].T
        away = 0.01 * powers(x) + powers(y - 2)
        fast = 1e-3 * powers(now["qvel"][:, 1]) + 5e-3 * powers(now["qvel"][:, 2])
        fallen = y <= 1
        alive = self.settings["healthy_reward"] * (~fallen).astype(np.int64)
        return Pay(reward=alive - away - fast, terms={"survive": alive}, terminated=fallen)


class Reacher(GymnasiumTask):
    """Gymnasium's Reacher: a new goal each episode."""

    derived = ("xpos",)

    def draw(self, generator: np.random.Generator) -> Start:
        qpos, qvel = self.origin.qpos, self.origin.qvel
        qpos = generator.uniform(low=-0.1, high=0.1, size=len(qpos)) + qpos
        while True:
            goal = generator.uniform(low=-0.2, high=0.2, size=2)
            if np.linalg.norm(goal) < 0.2:
                break
        qpos[-2:] = goal
        qvel = qvel + generator.uniform(low=-0.005, high=0.005, size=len(qvel))
        qvel[-2:] = 0
        return Start(qpos=qpos, qvel=qvel)

    def _gap(self, now: Fields, rows: Rows) -> Array:
        """From the target to the fingertip: (worlds, 3)."""
        body, xpos = self.origin.body_id, now["xpos"]
        gap: Array = xpos[rows, body("fingertip")] - xpos[rows, body("target")]
        return gap

    def observe(self, now: Fields, rows: Rows) -> Array:
        qpos = now["qpos"][rows]
        angles = np.ascontiguousarray(qpos[:, :2])
        parts = (np.cos(angles), np.sin(angles), qpos[:, 2:], now["qvel"][rows, :2])
        return np.concatenate((*parts, self._gap(now, rows)[:, :2]), axis=1)

    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:  # noqa: ARG002
        # A dot product each, because a norm along an axis rounds otherwise.
        distance = np.sqrt(np.array([gap.dot(gap) for gap in self._gap(now, ALL)]))
        dist = -distance * self.settings["reward_dist_weight"]
        ctrl = -squares(action) * self.settings["reward_control_weight"]
        nowhere = np.zeros(len(dist), dtype=bool)
        return Pay(reward=dist + ctrl, terms={"dist": dist, "ctrl": ctrl}, terminated=nowhere)


class Walker3d(GymnasiumTask):
    """Ant and Humanoid: a free body, paid for its velocity and for standing, that feels contacts."""

    contact_forces = True

    @abstractmethod
    def healthy(self, now: Fields) -> NDArray[np.bool_]:
        """Worlds that have not fallen."""

    @abstractmethod
    def costs(self, now: Fields, action: NDArray[np.float32]) -> tuple[Array, Array]:
        """Of control and of contacts."""

    def pay(self, now: Fields, velocity: Array, action: NDArray[np.float32]) -> Pay:
        forward = self.settings["forward_reward_weight"] * velocity[:, 0]
        healthy = self.healthy(now)
        survive = healthy * self.settings["healthy_reward"]
        control, contact = self.costs(now, action)
        return Pay(
            reward=forward + survive - (control + contact),
            terms={"forward": forward, "survive": survive, "ctrl": -control, "contact": -contact},
            terminated=~healthy & self.settings["terminate_when_unhealthy"],
        )

    def _position(self, now: Fields, rows: Rows) -> Array:
        excluded = self.settings["exclude_current_positions_from_observation"]
        return now["qpos"][rows, 2 if excluded else 0 :]


class Ant(Walker3d):
    """Gymnasium's Ant."""

    derived = ("xpos",)
    normal_velocities = True

    def place(self, now: Fields, rows: Rows) -> Array:
        return now["xpos"][rows, self.origin.body_id(self.settings["main_body"]), :2].copy()

    def _forces(self, now: Fields, rows: Rows) -> Array:
        """Contact forces inside their bounds: (worlds, bodies, 6)."""
        low, high = self.settings["contact_force_range"]
        forces: Array = np.clip(now["cfrc_ext"][rows], low, high)
        return forces

    def observe(self, now: Fields, rows: Rows) -> Array:
        parts = [self._position(now, rows), now["qvel"][rows]]
        if self.settings["include_cfrc_ext_in_observation"]:
            parts.append(lines(self._forces(now, rows)[:, 1:]))
        return np.concatenate(parts, axis=1)

    def healthy(self, now: Fields) -> NDArray[np.bool_]:
        low, high = self.settings["healthy_z_range"]
        z = now["qpos"][:, 2]
        finite = np.isfinite(now["qpos"]).all(axis=1) & np.isfinite(now["qvel"]).all(axis=1)
        up: NDArray[np.bool_] = finite & (low <= z) & (z <= high)
        return up

    def costs(self, now: Fields, action: NDArray[np.float32]) -> tuple[Array, Array]:
        control = self.settings["ctrl_cost_weight"] * squares(action)
        return control, self.settings["contact_cost_weight"] * squares(self._forces(now, ALL))


class Humanoid(Walker3d):
    """Gymnasium's Humanoid."""

    derived = ("xipos", "cinert", "cvel", "qfrc_actuator")

    def place(self, now: Fields, rows: Rows) -> Array:
        """The centre of mass, seen from above."""
        mass, xipos = self.origin.body_mass, now["xipos"][rows]
        centre: Array = np.einsum("b,ebj->ej", mass, xipos)[:, :2] / mass.sum()
        return centre

    def observe(self, now: Fields, rows: Rows) -> Array:
        parts = [self._position(now, rows), now["qvel"][rows]]
        for name, first in (("cinert", 1), ("cvel", 1), ("qfrc_actuator", 6), ("cfrc_ext", 1)):
            if self.settings[f"include_{name}_in_observation"] is True:
                parts.append(lines(now[name][rows, first:]))
        return np.concatenate(parts, axis=1)

    def healthy(self, now: Fields) -> NDArray[np.bool_]:
        low, high = self.settings["healthy_z_range"]
        z = now["qpos"][:, 2]
        up: NDArray[np.bool_] = (low < z) & (z < high)
        return up

    def costs(self, now: Fields, action: NDArray[np.float32]) -> tuple[Array, Array]:  # noqa: ARG002
        control = self.settings["ctrl_cost_weight"] * squares(now["ctrl"])
        contact = self.settings["contact_cost_weight"] * squares(now["cfrc_ext"])
        return control, np.clip(contact, *self.settings["contact_cost_range"])


_MODULES = "gymnasium.envs.mujoco"
TASKS: Mapping[str, type[GymnasiumTask]] = {
    f"{_MODULES}.half_cheetah_v5:HalfCheetahEnv": HalfCheetah,
    f"{_MODULES}.hopper_v5:HopperEnv": Hopper,
    f"{_MODULES}.walker2d_v5:Walker2dEnv": Walker2d,
    f"{_MODULES}.swimmer_v5:SwimmerEnv": Swimmer,
    f"{_MODULES}.inverted_pendulum_v5:InvertedPendulumEnv": InvertedPendulum,
    f"{_MODULES}.inverted_double_pendulum_v5:InvertedDoublePendulumEnv": InvertedDoublePendulum,
    f"{_MODULES}.reacher_v5:ReacherEnv": Reacher,
    f"{_MODULES}.ant_v5:AntEnv": Ant,
    f"{_MODULES}.humanoid_v5:HumanoidEnv": Humanoid,
}
"""By Gymnasium's entry point."""
