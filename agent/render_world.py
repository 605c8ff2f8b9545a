"""An environment that draws itself."""

from collections.abc import Mapping
from typing import Any

import gymnasium

from agent import render_gl
from agent.envs.dp_env import DPEnv
from agent.envs.gym import make_one, versioned
from agent.mujoco_warnings import hear
from runlog.errors import UserError


def drawn_world(
    env_id: str, env_args: Mapping[str, Any], size: tuple[int, int]
) -> gymnasium.Env[Any, Any]:
    """The environment in "rgb_array", its pictures of that size where it lets itself be told.

    UserError where there is no such environment, it has no pictures, or they cannot be drawn here.
    """
    from gymnasium.envs.mujoco import MujocoEnv

    hear()
    name = versioned(env_id)
    given = {key: value for key, value in env_args.items() if key != "render_mode"}
    plain = make_one(name, given)
    modes = plain.metadata.get("render_modes") or []
    drawn_here = isinstance(plain.unwrapped, DPEnv | MujocoEnv)
    plain.close()
    if "rgb_array" not in modes:
        known = ", ".join(map(str, modes)) or "none"
        raise UserError(
            f'{name} has no pictures: its render modes are {known}; a film needs "rgb_array"'
        )
    told = {"width": size[0], "height": size[1]} if drawn_here else {}
    if drawn_here:
        render_gl.require()
    return make_one(name, told | given | {"render_mode": "rgb_array"})
