"""DeepMimic's reward and its variants: how well many humanoids keep to their references.

Terms, weights, scales and joint weights are those of the original code (github.com/xbpeng/DeepMimic,
DeepMimicCore/scenes/SceneImitate.cpp) but for the end effectors: as the paper writes it (arXiv
1804.02717, §5.2), 40 times the sum of their squared distances, where the code takes 10 times the sum.
The paper itself weighs pose, velocity, end effectors and centre of mass .65, .1, .15, .1, has no
term of the root, and compares the place of the centre of mass where the code compares its velocity.
The code pays nothing for the step that falls; here it is paid like any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.humanoid import END_EFFECTORS, JOINTS, PARTS, ROOT, humanoid
from agent.envs.mujoco_task import Fields

MOST = 10.0
"""What a step pays that keeps to the reference exactly."""
WEIGHTS: Mapping[str, float] = {
    "pose": 0.5,
    "velocity": 0.05,
    "end_effector": 0.15,
    "root": 0.2,
    "centre_of_mass": 0.1,
}
SCALES: Mapping[str, float] = {
    "pose": 2.0,
    "velocity": 0.1,
    "end_effector": 40.0,
    "root": 5.0,
    "centre_of_mass": 1.0,
}
"""Error e pays exp(-scale·e)."""
STEEP = 40.0
"""1/rad; two degrees in each of the 28 coordinates already pay e⁻³⁹."""
CONSTANT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things stand in the model's arrays, by joint or body."""

    balls: NDArray[np.int64]
    """Positions (balls, 4) of the root's and the joints' quaternions; the root first."""
    hinges: NDArray[np.int64]
    speeds: NDArray[np.int64]
    """Velocities (joint velocities,) of all joints but the root."""
    ball_weights: Array
    hinge_weights: Array
    speed_weights: Array
    effectors: NDArray[np.int64]
    """Bodies."""


def places() -> Places:
    """Of the humanoid. The weights of all joints, the root among them, add up to 1."""
    model = humanoid()
    root = next(part for part in PARTS if part.name == ROOT)
    total = sum(part.weight for part in PARTS)
    balls = [part for part in JOINTS if part.joint == "ball"]
    hinges = [part for part in JOINTS if part.joint == "hinge"]
    at = {part.name: int(model.joint(part.name).qposadr[0]) for part in JOINTS}
    speed_at = {part.name: int(model.joint(part.name).dofadr[0]) for part in JOINTS}
    speeds = [
        (speed_at[part.name] + k, part.weight) for part in JOINTS for k in range(_width(part.joint))
    ]
    return Places(
        balls=np.array([3, *(at[part.name] for part in balls)])[:, None] + np.arange(4),
        hinges=np.array([at[part.name] for part in hinges]),
        speeds=np.array([dof for dof, _ in speeds]),
        ball_weights=np.array([root.weight, *(part.weight for part in balls)]) / total,
        hinge_weights=np.array([part.weight for part in hinges]) / total,
        speed_weights=np.array([weight for _, weight in speeds]) / total,
        effectors=np.array([model.body(name).id for name in END_EFFECTORS]),
    )


def _width(joint: str) -> int:
    return 3 if joint == "ball" else 1


def deepmimic(now: Fields, wanted: Fields, of: Places) -> dict[str, Array]:
    """The terms of the reward by name, (worlds,) each; together MOST at most."""
    errors = tracking_errors(now, wanted, of)
    return {name: MOST * WEIGHTS[name] * np.exp(-SCALES[name] * e) for name, e in errors.items()}


def tracking_errors(now: Fields, wanted: Fields, of: Places) -> dict[str, Array]:
    """Squared errors by term, (worlds,) each; m, rad and s together, as DeepMimic weighs them."""
    qpos, qvel = now["qpos"], now["qvel"]
    turned = angles(qpos[:, of.balls], wanted["qpos"][:, of.balls]) ** 2  # (worlds, balls)
    bent = (qpos[:, of.hinges] - wanted["qpos"][:, of.hinges]) ** 2
    speed = (qvel[:, of.speeds] - wanted["qvel"][:, of.speeds]) ** 2
    # Velocity of the centre of mass, angular velocity of the root.
    motion = (now["sensordata"] - wanted["sensordata"]) ** 2
    spin = motion[:, 3:].sum(axis=1)
    place = ((qpos[:, :3] - wanted["qpos"][:, :3]) ** 2).sum(axis=1)
    drift = ((qvel[:, :3] - wanted["qvel"][:, :3]) ** 2).sum(axis=1)
    reach = (reached(now, of) - reached(wanted, of)) ** 2
    return {
        "pose": (turned * of.ball_weights).sum(axis=1) + (bent * of.hinge_weights).sum(axis=1),
        "velocity": (speed * of.speed_weights).sum(axis=1) + of.ball_weights[0] * spin,
        "end_effector": reach.sum(axis=(1, 2)),
        "root": place + 0.1 * turned[:, 0] + 0.01 * drift + 0.001 * spin,
        "centre_of_mass": motion[:, :3].sum(axis=1),
    }


def config_scaled(now: Fields, wanted: Fields, of: Places) -> dict[str, Array]:  # noqa: ARG001
    """10·exp(-2·mean error) of the configuration."""
    return {"config": MOST * np.exp(-2 * config_errors(now, wanted).mean(axis=1))}


def config_raw(now: Fields, wanted: Fields, of: Places) -> dict[str, Array]:  # noqa: ARG001
    """exp(-sum of the errors): 1 at most, and soon next to nothing."""
    return {"config": np.exp(-config_errors(now, wanted).sum(axis=1))}


def steep(now: Fields, wanted: Fields, of: Places) -> dict[str, Array]:  # noqa: ARG001
    """exp(-STEEP·sum of the errors), which is below anything a critic can tell from 0."""
    return {"config": np.exp(-STEEP * config_errors(now, wanted).sum(axis=1))}


def constant(now: Fields, wanted: Fields, of: Places) -> dict[str, Array]:  # noqa: ARG001
    """The same, whatever happens."""
    return {"constant": np.full(len(now["qpos"]), CONSTANT)}


def config_errors(now: Fields, wanted: Fields) -> Array:
    """Absolute errors of the 28 actuated coordinates, rad: (worlds, 28)."""
    away: Array = np.abs(now["actuator_length"] - wanted["actuator_length"])
    return away


Terms = Callable[[Fields, Fields, Places], dict[str, Array]]
"""What is, what is wanted → terms of the reward by name, (worlds,) each."""
REWARDS: Mapping[str, Terms] = {
    each.__name__: each for each in (deepmimic, config_scaled, config_raw, steep, constant)
}


def angles(a: Array, b: Array) -> Array:
    """Angles between unit quaternions (…, 4), rad, from 0 to π; exactly 0 for equal ones."""
    same = np.where((a * b).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    chord = np.sqrt(((a - same * b) ** 2).sum(axis=-1))
    turn: Array = 4 * np.arcsin(np.minimum(chord / 2, 1.0))
    return turn


def heading(quaternion: Array) -> tuple[Array, Array]:
    """cos and sin of half the turn about the vertical in (…, 4); 1 and 0 where upside down."""
    w, z = quaternion[..., 0], quaternion[..., 3]
    length = np.hypot(w, z)
    level = length < 1e-9
    length = np.where(level, 1.0, length)
    return np.where(level, 1.0, w / length), np.where(level, 0.0, z / length)


def turned_back(x: Array, y: Array, half: tuple[Array, Array]) -> tuple[Array, Array]:
    """(x, y) as seen by one who is turned by that heading."""
    c, s = half
    cos, sin = c * c - s * s, 2 * c * s
    return cos * x + sin * y, cos * y - sin * x


def reached(fields: Fields, of: Places) -> Array:
    """End effectors beside the root, in its heading, and above the ground: (worlds, effectors, 3)."""
    effectors, root = fields["xpos"][:, of.effectors], fields["qpos"][:, None, :3]
    half = heading(fields["qpos"][:, None, 3:7])
    beside = effectors - root
    x, y = turned_back(beside[..., 0], beside[..., 1], half)
    return np.stack((x, y, effectors[..., 2]), axis=-1)
