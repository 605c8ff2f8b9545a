"""A walk made of sines, so that imitation needs no motion-capture file."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.humanoid import FEET, humanoid
from agent.envs.motion import DEFAULT, Clip

PERIOD, FRAMES = 1.2, 36
"""s, and frames, of one cycle."""
HIP, KNEE, STANCE, ARM, ELBOW = 0.42, 0.75, 0.12, 0.3, 0.35
"""Amplitudes of hip and arm, largest bend of the swinging and the standing knee, bend of the elbow,
rad."""


@cache
def gait() -> Clip:
    """One cycle. The root is carried by the lower foot: no foot slips, none is below the ground."""
    poses = np.stack([_pose(phase) for phase in np.arange(FRAMES + 1) / FRAMES])
    soles = np.stack([_soles(pose) for pose in poses])  # (frames, feet, xz), of a root at 0
    poses[:, 2] = -soles[:, :, 1].min(axis=1)
    standing = soles[:, :, 1].argmin(axis=1)[:-1]
    each = np.arange(FRAMES)
    moved = soles[each, standing, 0] - soles[each + 1, standing, 0]
    poses[1:, 0] = np.cumsum(moved)
    return Clip(name=DEFAULT, time=np.linspace(0.0, PERIOD, FRAMES + 1), qpos=poses, loops=True)


def _pose(phase: float) -> Array:
    """Positions with the root at the origin. The right leg is foremost at phase 1/4."""
    model = humanoid()
    qpos: Array = model.qpos0.copy()
    qpos[:3] = 0
    for side, shift in (("right", 0.0), ("left", 0.5)):
        turn = 2 * np.pi * (phase + shift)
        hip = HIP * np.sin(turn)
        swinging = max(0.0, np.cos(turn)) ** 2  # while the thigh moves forward
        knee = -STANCE - (KNEE - STANCE) * swinging
        _turn(qpos, f"{side}_hip", hip + STANCE / 2)
        _turn(qpos, f"{side}_knee", knee)
        _turn(qpos, f"{side}_ankle", -hip - STANCE / 2 - knee)  # the sole stays level
        _turn(qpos, f"{side}_shoulder", -ARM * np.sin(turn))
        _turn(qpos, f"{side}_elbow", ELBOW)
    return qpos


def _turn(qpos: Array, joint: str, angle: float) -> None:
    """Turn a joint forward by an angle, rad: about the axis that points right."""
    at = humanoid().joint(joint).qposadr[0]
    if joint.endswith(("knee", "elbow")):
        qpos[at] = angle
    else:
        qpos[at : at + 4] = np.cos(angle / 2), 0, -np.sin(angle / 2), 0


def _soles(qpos: Array) -> NDArray[np.float64]:
    """Middle of each sole, forward and up, m: (feet, 2)."""
    import mujoco

    model = humanoid()
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(model, data)
    shapes = [model.geom(foot).id for foot in FEET]
    depth = model.geom_size[shapes, 2]
    return np.stack((data.geom_xpos[shapes, 0], data.geom_xpos[shapes, 2] - depth), axis=1)
