"""A clip as an episode meets it: pose, velocity and what is compared, at every control step."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.humanoid import CONTROL_RATE, FEET, PARTS, humanoid
from agent.envs.motion import Clip, clip, source

HORIZON = 600
"""Control steps of an episode."""
TOUCHES = 0.17
"""A body whose centre the clip brings this near to the ground, m, may touch it. It separates what
DeepMimic's own list of bodies that end an episode by touching separates, in all its clips."""
FIELDS = ("qpos", "qvel", "xpos", "geom_xpos", "sensordata", "actuator_length")
"""Of MjData, that poses are compared by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`fields`: of MjData by name, (rows, …), one row a control step, the root moving on from cycle
    to cycle. `starts`: rows of the first cycle. `phase` (rows,): from 0 to 1 in each cycle.
    `falls` (bodies,): whether a body of PARTS ends the episode when it touches the ground."""

    clip: Clip
    fields: Mapping[str, Array]
    phase: Array
    starts: int
    falls: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        return len(self.phase)


def reference(motion: str) -> Reference:
    """The reference of an episode that starts anywhere in the clip's first cycle."""
    path = source(motion)
    if path is None:
        return _reference(motion)
    stat = path.stat()
    return _reference(motion, path.resolve(), stat.st_mtime_ns, stat.st_size)


@cache
def _reference(motion: str, *version: object) -> Reference:  # noqa: ARG001 a changed file is another
    of = clip(motion)
    starts = max(1, int(np.ceil(of.duration * CONTROL_RATE - 1e-9)))
    return sampled(of, np.arange(starts + HORIZON + 1) / CONTROL_RATE, starts)


def sampled(of: Clip, time: Array, starts: int) -> Reference:
    """The reference at the given times (rows,), s."""
    import mujoco

    model = humanoid()
    data = mujoco.MjData(model)
    numbers, within = of.cycle(time)
    found: dict[str, list[Array]] = {name: [] for name in FIELDS}
    for number, at in zip(numbers, within, strict=True):
        data.qpos[:] = of.within(at)
        data.qpos[:2] += number * of.stride
        data.qvel[:] = velocity(of, at)
        mujoco.mj_step1(model, data)  # positions, velocities and their sensors; nothing moves
        for name in FIELDS:
            found[name].append(getattr(data, name).copy())
    fields = {name: np.stack(values) for name, values in found.items()}
    for values in fields.values():
        values.setflags(write=False)
    return Reference(
        clip=of,
        fields=fields,
        phase=within / of.duration,
        starts=starts,
        falls=_falls(fields["geom_xpos"]),
    )


def velocity(of: Clip, time: float) -> Array:
    """Velocities (nv,) at a time within the cycle: the mean over one control step around it.

    At the ends of the clip over the part that lies within it: where a loop's ends do not quite
    meet, nobody is asked to make the jump. A clip that is held at its end rests there.
    """
    import mujoco

    model = humanoid()
    qvel = np.zeros(model.nv)
    if not of.loops and time >= of.duration:
        return qvel
    half = 0.5 / CONTROL_RATE
    start, end = max(0.0, time - half), min(of.duration, time + half)
    mujoco.mj_differentiatePos(model, qvel, end - start, of.within(start), of.within(end))
    return qvel


def _falls(geom_xpos: Array) -> NDArray[np.bool_]:
    """By body of PARTS. `geom_xpos` (rows, geoms, 3): in a clip that lies down, nothing is a fall."""
    model = humanoid()
    lowest = geom_xpos[:, [model.geom(part.name).id for part in PARTS], 2].min(axis=0)
    names = [part.name for part in PARTS]
    if min(lowest[names.index("root")], lowest[names.index("chest")]) < TOUCHES:
        return np.zeros(len(PARTS), dtype=bool)
    feet = np.isin(names, FEET)
    falls: NDArray[np.bool_] = (lowest >= TOUCHES) & ~feet
    return falls
