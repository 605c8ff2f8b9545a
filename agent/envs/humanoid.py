"""The humanoid that imitates motions: 45 kg, 28 actuated degrees of freedom, ball joints.

Masses, shapes, places of the joints, gains and torque limits are those of DeepMimic's humanoid
(github.com/xbpeng/DeepMimic, data/characters/humanoid3d.txt, data/controllers/humanoid3d_ctrl.txt),
turned from y up to z up: x forward, y left, z up. Lengths in m, masses in kg, gains in N·m/rad.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from agent.envs.scenery import add_sun, furnish

CONTROL_RATE = 30
"""Control steps a second."""
SUBSTEPS = 8
"""Steps of physics in a control step."""
DAMPING_OF_STIFFNESS = 0.1
"""Kd of Kp, s."""
ARMATURE = 0.02
"""kg·m², of every joint."""
ROOT = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One body and the joint that holds it to its parent.

    `at`: place of the joint in the parent's frame. `size`: radius of a sphere; radius and length of a
    capsule, upright; lengths of a box. `centre`: of that shape, from the joint.
    `joint`: ball, hinge (about the axis to the right) or none. `weight`: DeepMimic's of its errors.
    """

    name: str
    parent: str | None
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    joint: Literal["ball", "hinge", "none"] = "ball"
    shape: Literal["sphere", "capsule", "box"]
    size: tuple[float, ...]
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mass: float
    stiffness: float = 0.0
    torque: float = 0.0
    bend: tuple[float, float] = (0.0, 0.0)
    """Range of a hinge, rad."""
    weight: float = 0.0


def _side(side: str, y: float) -> tuple[Part, ...]:
    """Leg and arm of one side; `y`: -1 right, 1 left."""
    hip, knee, ankle = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
    shoulder, elbow, wrist = f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"
    return (
        Part(
            name=hip,
            parent=ROOT,
            at=(0, y * 0.084887, 0),
            shape="capsule",
            size=(0.055, 0.3),
            centre=(0, 0, -0.21),
            mass=4.5,
            stiffness=500,
            torque=200,
            weight=0.5,
        ),
        Part(
            name=knee,
            parent=hip,
            at=(0, 0, -0.421546),
            joint="hinge",
            shape="capsule",
            size=(0.05, 0.31),
            centre=(0, 0, -0.2),
            mass=3,
            stiffness=500,
            torque=150,
            bend=(-3.14, 0),
            weight=0.3,
        ),
        Part(
            name=ankle,
            parent=knee,
            at=(0, 0, -0.40987),
            shape="box",
            size=(0.177, 0.09, 0.055),
            centre=(0.045, 0, -0.0225),
            mass=1,
            stiffness=400,
            torque=90,
            weight=0.2,
        ),
        Part(
            name=shoulder,
            parent="chest",
            at=(-0.02405, y * 0.18311, 0.2435),
            shape="capsule",
            size=(0.045, 0.18),
            centre=(0, 0, -0.14),
            mass=1.5,
            stiffness=400,
            torque=100,
            weight=0.3,
        ),
        Part(
            name=elbow,
            parent=shoulder,
            at=(0, 0, -0.274788),
            joint="hinge",
            shape="capsule",
            size=(0.04, 0.135),
            centre=(0, 0, -0.12),
            mass=1,
            stiffness=300,
            torque=60,
            bend=(0, 3.14),
            weight=0.2,
        ),
        Part(
            name=wrist,
            parent=elbow,
            at=(0, 0, -0.258947),
            joint="none",
            shape="sphere",
            size=(0.04,),
            mass=0.5,
        ),
    )


PARTS: tuple[Part, ...] = (
    Part(
        name=ROOT,
        parent=None,
        joint="none",
        shape="sphere",
        size=(0.09,),
        centre=(0, 0, 0.07),
        mass=6,
        weight=1.0,
    ),
    Part(
        name="chest",
        parent=ROOT,
        at=(0, 0, 0.236151),
        shape="sphere",
        size=(0.11,),
        centre=(0, 0, 0.12),
        mass=14,
        stiffness=1000,
        torque=200,
        weight=0.5,
    ),
    Part(
        name="neck",
        parent="chest",
        at=(0, 0, 0.223894),
        shape="sphere",
        size=(0.1025,),
        centre=(0, 0, 0.175),
        mass=2,
        stiffness=100,
        torque=50,
        weight=0.3,
    ),
    *_side("right", -1),
    *_side("left", 1),
)
"""Every body, the root first."""
JOINTS: tuple[Part, ...] = tuple(part for part in PARTS if part.joint != "none")
"""Actuated, in the order of a motion clip's frames and of the model's positions."""
FEET = ("right_ankle", "left_ankle")
END_EFFECTORS = ("right_ankle", "right_wrist", "left_ankle", "left_wrist")
STANDING_HEIGHT = 0.421546 + 0.40987 + 0.0225 + 0.055 / 2
"""Of the root above the ground, legs straight, soles flat."""


@cache
def humanoid() -> Any:
    """The MjModel: nq 43 (root 3 + 4, the rest by joint), nv 34, nu 28 in the order of JOINTS.

    Sensors: velocity of the centre of mass, m/s, and angular velocity of the root, rad/s, both in the
    world's frame. An actuator's length is its component of the joint's rotation vector, rad, and its control the
    length it pulls towards. Only the ground is felt; the limbs pass through each other.
    """
    import mujoco

    spec = mujoco.MjSpec()
    spec.modelname = "humanoid"
    spec.compiler.degree = False
    spec.option.timestep = 1 / (CONTROL_RATE * SUBSTEPS)
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    furnish(spec)
    bodies: dict[str | None, Any] = {None: spec.worldbody}
    for part in PARTS:
        body = bodies[part.name] = bodies[part.parent].add_body(name=part.name, pos=part.at)
        _add_joint(mujoco, body, part)
        _add_shape(mujoco, body, part)
        if part.name == ROOT:
            add_sun(body)
    for part in JOINTS:
        _add_actuator(mujoco, spec, part)
    for kind in ("mjSENS_SUBTREELINVEL", "mjSENS_FRAMEANGVEL"):
        spec.add_sensor(
            type=getattr(mujoco.mjtSensor, kind),
            objtype=mujoco.mjtObj.mjOBJ_BODY,
            objname=ROOT,
        )
    return spec.compile()


def _add_joint(mujoco: Any, body: Any, part: Part) -> None:
    if part.parent is None:
        body.add_freejoint(name=part.name)
    elif part.joint == "ball":
        body.add_joint(name=part.name, type=mujoco.mjtJoint.mjJNT_BALL, armature=ARMATURE)
    elif part.joint == "hinge":
        body.add_joint(
            name=part.name,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=(0, -1, 0),
            range=part.bend,
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            armature=ARMATURE,
        )


def _add_shape(mujoco: Any, body: Any, part: Part) -> None:
    kinds = {
        "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
        "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
        "box": mujoco.mjtGeom.mjGEOM_BOX,
    }
    whole = part.size if part.shape != "box" else [length / 2 for length in part.size]
    size = [whole[0], whole[1] / 2, 0] if part.shape == "capsule" else [*whole, 0, 0][:3]
    shade = 0.4 if part.name.startswith("left") else 0.52
    body.add_geom(
        name=part.name,
        type=kinds[part.shape],
        size=size,
        pos=part.centre,
        mass=part.mass,
        contype=0,
        conaffinity=1,
        rgba=(shade - 0.25, shade, shade + 0.25, 1),
    )


def _add_actuator(mujoco: Any, spec: Any, part: Part) -> None:
    """A servo of a hinge, or of a ball's three degrees of freedom together.

    A ball's pulls along the shortest turn to the target, its torque bounded in norm, as DeepMimic's
    does; servos of the three components of the turn do neither, the less the farther from 0.
    """
    actuator = spec.add_actuator(
        name=part.name,
        target=part.name,
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        forcelimited=mujoco.mjtLimited.mjLIMITED_TRUE,
        forcerange=(
            0 if part.joint == "ball" else -part.torque,
            part.torque,
        ),  # a ball's: of its norm
    )
    servo = actuator.set_to_orientation if part.joint == "ball" else actuator.set_to_position
    servo(part.stiffness, kv=part.stiffness * DAMPING_OF_STIFFNESS)
