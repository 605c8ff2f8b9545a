"""`trpo-tui motions`: the clips DPEnv can imitate, and whether a clip file of one's own is sound."""

import sys
from collections.abc import Sequence

import numpy as np

from agent.envs.motion import DEFAULT, HOW, Clip, clip, files, names
from agent.flags import Parser, text
from runlog.errors import UserError

SEAM = 0.5
"""rad; a loop jumps where its ends are further apart in a joint."""
BELOW = 0.05
"""m; a foot that sinks this far into the ground is worth a word."""
ABOVE = 0.5
"""m; a motion that stays this far above the ground may be in other units."""


def parser() -> Parser:
    """The command line of `motions`."""
    motions = Parser(
        prog="trpo-tui motions",
        description="List the motion clips that DPEnv can imitate, or check clip files of your own."
        " Exit code: 0, or 2 if one cannot be read.",
        allow_abbrev=False,
    )
    motions.add_argument(
        "clips", metavar="FILE", nargs="*", help="clip files, or names of clips; default: all names"
    )
    return motions


def main(arguments: Sequence[str]) -> int:
    """List or check as the arguments say. Returns the exit code."""
    given = parser().parse_args(text(arguments)).clips
    from agent.results import say

    found: dict[str, Clip] = {}
    refused = []
    for motion in given or names():
        try:
            found[motion] = clip(motion)
        except UserError as error:
            refused.append(" ".join(str(error).splitlines()))
    if found:
        lines = [*table(found), *notes(found)]
        if not given:
            lines += ["", "trpo-tui train --env DPEnv --env-arg motion=NAME imitates one."]
            lines += [] if files() else [f"{HOW[0].upper()}{HOW[1:]}."]
        say("\n".join(lines) + "\n")
    for line in refused:
        print(f"trpo-tui motions: {line}", file=sys.stderr)  # noqa: T201 the command's own voice
    return 2 if refused else 0


def table(found: dict[str, Clip]) -> list[str]:
    """One line for each clip."""
    width = max(4, *map(len, found))
    lines = [f"{'name':{width}}  frames  length   loop  over the ground  from"]
    for motion, of in found.items():
        speed = float(np.linalg.norm(of.stride)) / of.duration
        lines.append(
            f"{motion:{width}}  {len(of.time):6}  {of.duration:4.2f} s   {'yes' if of.loops else 'no ':4}"
            f"  {speed:11.2f} m/s  {origin(motion)}"
        )
    return lines


def origin(motion: str) -> str:
    """Where a motion's numbers come from."""
    if motion == DEFAULT:
        return "built in"
    return "DeepMimic (pybullet)" if motion in files() else "a file"


def notes(found: dict[str, Clip]) -> list[str]:
    """What looks odd in files of one's own, though they can be imitated."""
    told = []
    for motion, of in found.items():
        if origin(motion) != "a file":
            continue
        apart, depth, frame = seam(of), *sunk(of)
        if of.loops and apart > SEAM:
            told.append(
                f"{motion}: the loop jumps by {apart:.1f} rad: its last frame must repeat the first"
            )
        if depth > BELOW:
            told.append(f"{motion}: frame {frame}: a body is {depth:.2f} m below the ground")
        if depth < -ABOVE:
            told.append(f"{motion}: it never comes nearer to the ground than {-depth:.2f} m")
    return told


def seam(of: Clip) -> float:
    """The largest turn of a joint between the last frame and the first, rad."""
    import mujoco

    from agent.envs.humanoid import humanoid

    model = humanoid()
    away = np.zeros(model.nv)
    mujoco.mj_differentiatePos(model, away, 1.0, of.qpos[-1], of.qpos[0])
    return float(np.abs(away[3:]).max())


def sunk(of: Clip) -> tuple[float, int]:
    """How far below the ground a body's middle comes at most, m, and in which frame, from 1."""
    import mujoco

    from agent.envs.humanoid import PARTS, humanoid

    model = humanoid()
    data = mujoco.MjData(model)
    shapes = [model.geom(part.name).id for part in PARTS]
    lowest = []
    for pose in of.qpos:
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        lowest.append(float(data.geom_xpos[shapes, 2].min()))
    at = int(np.argmin(lowest))
    return -lowest[at], at + 1
