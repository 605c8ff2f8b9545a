"""DPEnv: a humanoid that is paid for imitating a motion, as DeepMimic's is (arXiv 1804.02717)."""

import copy
import sys
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from agent import render_gl
from agent.envs.batch import Array
from agent.envs.camera import Camera, Picture
from agent.envs.humanoid import CONTROL_RATE, PARTS, STANDING_HEIGHT, SUBSTEPS, humanoid
from agent.envs.imitation import REWARDS, angles, heading, places, turned_back
from agent.envs.motion import DEFAULT
from agent.envs.mujoco_task import ALL, Fields, Pay, Rows, Start, Task
from agent.envs.reference import HORIZON, Reference, reference
from runlog.errors import UserError

ENV_ID = "DPEnv-v0"
FAR = 1.0
"""m; a body this far from where the reference has it ends the episode."""
SCALES: Mapping[str, float] = {"residual": 0.5, "absolute": np.pi}
"""What `action` may be, and the rad of an action of 1."""
NOWHERE = np.zeros((1, 2))


class Imitation(Task):
    """What DPEnv and its batches share. The physics' own time tells the row of the reference."""

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

    def disturbed(self, reward: Array, generators: Sequence[np.random.Generator]) -> Array:
        if not self._noise:
            return reward
        noise = [generator.normal(0.0, self._noise) for generator in generators]
        noisy: Array = np.maximum(0.0, reward + noise)
        return noisy


class DPEnv(gymnasium.Env[Array, NDArray[np.float32]]):
    """One humanoid at 30 control steps a second, 600 at most an episode.

    `motion`: a clip's name, or a file (see agent.envs.motion). `reward`: one of REWARDS;
    `reward_noise`: deviation of noise added to it, the sum kept at 0 or above. `action`: targets of
    the joints' servos as offsets from the reference's next pose ("residual") or in themselves
    ("absolute"), an action of 1 being `action_scale` rad (left out: .5 and π).
    UserError for a motion that is not there or malformed, and for any other wrong argument.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_RATE}  # noqa: RUF012 Gymnasium's

    def __init__(
        self,
        motion: str = DEFAULT,
        reward: str = "deepmimic",
        reward_noise: float = 0.0,
        action: str = "residual",
        action_scale: float | None = None,
        render_mode: str | None = None,
        width: int = 320,
        height: int = 240,
    ) -> None:
        if "mujoco" not in sys.modules:
            render_gl.choose()  # MuJoCo looks what to draw with once, when it is imported
        import mujoco

        _one_of("reward", reward, REWARDS)
        _one_of("action", action, SCALES)
        scale = SCALES[action] if action_scale is None else action_scale
        _at_least_0("reward_noise", reward_noise)
        _at_least_0("action_scale", scale)
        if not isinstance(motion, str):
            raise UserError(f"motion is {motion!r}: name a clip or a file")
        if render_mode is not None:
            _one_of("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.reference_shown = True  # beside the humanoid
        self._size = width, height
        self._camera: Camera | None = None
        self.model = copy.copy(humanoid())  # its own: what a user changes in it changes no other
        self.data = mujoco.MjData(self.model)
        self.task = Imitation(reference(motion), reward, float(reward_noise), action, float(scale))
        self.frame_skip = SUBSTEPS
        self._elapsed = 0
        self._begin(self.task.start(0))
        self.observation_space = Box(-np.inf, np.inf, self._observation().shape, np.float64)
        self.action_space = Box(-1.0, 1.0, (self.model.nu,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start on the reference, anywhere in its first cycle."""
        super().reset(seed=seed, options=options)
        self._begin(self.task.draw(self.np_random))
        return self._observation(), {}

    def reset_model_init(self) -> Array:
        """Start upright and at rest, at the phase whose pose is most like it; the observation."""
        self._begin(self.task.standing())
        return self._observation()

    def step(self, action: NDArray[np.float32]) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """One control step. `info` has every term of the reward as `reward_NAME`."""
        import mujoco

        chosen = np.asarray(action, dtype=np.float32)[None]
        if chosen.shape[1:] != self.action_space.shape:
            raise UserError(
                f"an action of shape {chosen.shape[1:]}: {ENV_ID} takes {self.action_space.shape}"
            )
        self.data.ctrl[:] = self.task.control(self._now(), chosen)[0]
        mujoco.mj_step(self.model, self.data, nstep=self.frame_skip)
        mujoco.mj_step1(self.model, self.data)  # what is derived from the state reached
        self._elapsed += 1
        pay = self.task.pay(self._now(), NOWHERE, chosen)
        reward = self.task.disturbed(pay.reward, [self.np_random])[0]
        terminated = bool(pay.terminated[0])
        info = {f"reward_{name}": float(value[0]) for name, value in pay.terms.items()}
        truncated = self._elapsed >= HORIZON and not terminated
        return self._observation(), float(reward), terminated, truncated, info

    def place(self, row: int) -> float:
        """Put it on the reference, at one of its rows; what that pays, without noise."""
        self._begin(self.task.start(row))
        nothing = np.zeros((1, self.model.nu), dtype=np.float32)
        return float(self.task.pay(self._now(), NOWHERE, nothing).reward[0])

    def render(self) -> Picture | None:
        """The humanoid and, beside it, the reference: (height, width, 3) in "rgb_array"."""
        if self.render_mode is None:
            return None
        if self._camera is None:
            self._camera = Camera(self.model, self.task.reference, *self._size)
        wanted = self.task.wanted(self.task.row(self._now()))["qpos"][0]
        return self._camera.picture(self.data, wanted if self.reference_shown else None)

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
        self._camera = None

    def save_state(self) -> dict[str, Any]:
        """Everything the next steps depend on but the random generator."""
        import mujoco

        full = mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(mujoco.mj_stateSize(self.model, full))
        mujoco.mj_getState(self.model, self.data, state, full)
        return {"physics": state, "elapsed": self._elapsed}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Go on from what `save_state` told."""
        import mujoco

        full = mujoco.mjtState.mjSTATE_INTEGRATION
        mujoco.mj_setState(self.model, self.data, np.asarray(state["physics"]), full)
        mujoco.mj_step1(self.model, self.data)
        self._elapsed = int(state["elapsed"])

    def _begin(self, start: Start) -> None:
        import mujoco

        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:], self.data.qvel[:] = start.qpos, start.qvel
        self.data.time = start.time
        mujoco.mj_forward(self.model, self.data)
        self._elapsed = 0

    def _now(self) -> dict[str, Array]:
        """The fields of this one world, (1, …) each."""
        fields = {
            name: getattr(self.data, name)[None] for name in ("qpos", "qvel", *self.task.derived)
        }
        return fields | {"time": np.array([self.data.time])}

    def _observation(self) -> Array:
        observation: Array = self.task.observe(self._now(), ALL)[0]
        return observation


def _one_of(name: str, value: Any, allowed: Collection[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise UserError(f"{name} is {value!r}: it is one of {', '.join(allowed)}")


def _at_least_0(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < np.inf:
        raise UserError(f"{name} is {value!r}: it must be a number of at least 0")
