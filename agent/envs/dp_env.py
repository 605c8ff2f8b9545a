"""DPEnv: a humanoid that is paid for imitating a motion, as DeepMimic's is (arXiv 1804.02717)."""

import copy
import sys
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from agent import render_gl
from agent.envs.batch import Array
from agent.envs.camera import Camera, Picture
from agent.envs.humanoid import CONTROL_RATE, SUBSTEPS, humanoid
from agent.envs.imitation import Imitation
from agent.envs.imitation_reward import REWARDS
from agent.envs.motion import DEFAULT
from agent.envs.mujoco_task import ALL, Start
from agent.envs.reference import HORIZON, reference
from runlog.errors import UserError

ENV_ID = "DPEnv-v0"
SCALES: Mapping[str, float] = {"residual": 0.5, "absolute": np.pi}
"""What `action` may be, and the rad of an action of 1."""
NOWHERE = np.zeros((1, 2))


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
        pay = self.task.disturbed(self.task.pay(self._now(), NOWHERE, chosen), [self.np_random])
        terminated = bool(pay.terminated[0])
        info = {f"reward_{name}": float(value[0]) for name, value in pay.terms.items()}
        truncated = self._elapsed >= HORIZON and not terminated
        return self._observation(), float(pay.reward[0]), terminated, truncated, info

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
