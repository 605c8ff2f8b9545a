"""Motion clips: what a humanoid is to imitate, read from DeepMimic's files.

A file is JSON: `Loop` ("wrap" or "none") and `Frames`, each of 44 numbers: duration in s, position of
the root, its quaternion (w first), then the joints in the order of `JOINTS`, a quaternion for a ball,
an angle for a hinge. Its y axis points up and its x axis forward; here z points up.
"""

import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.humanoid import CONTROL_RATE, JOINTS, ROOT, humanoid
from runlog.errors import UserError

DEFAULT = "gait"
"""The clip that needs no file."""
WIDTHS = {"ball": 4, "hinge": 1}
NUMBERS = 1 + 3 + 4 + sum(WIDTHS[part.joint] for part in JOINTS)
"""In a frame."""
MOST = 1e6
"""No place, angle or duration is larger."""
SHORTEST, LONGEST = 0.999 / CONTROL_RATE, 600.0
"""s, of a motion: a control step at least."""
HOW = (
    "pip install 'trpo-tui[mocap]' brings DeepMimic's clips, and --env-arg motion=FILE reads one of"
    " your own"
    if sys.version_info < (3, 12)
    else "DeepMimic's clips come with pybullet, which has no wheel for Python 3.12 and newer: hand"
    " over a clip file, --env-arg motion=FILE"
)
"""How to get other motions than the default."""
_PACKAGE, _FOLDER, _PREFIX, _SUFFIX = "pybullet_data", "data/motions", "humanoid3d_", ".txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One motion. `time` (frames,): of each frame, s, the first 0. `qpos` (frames, nq): the model's
    positions. A clip that does not loop is held at its last frame."""

    name: str
    time: Array
    qpos: Array
    loops: bool

    @property
    def duration(self) -> float:
        """s; a loop's last frame stands where the next cycle begins."""
        return float(self.time[-1])

    @property
    def stride(self) -> Array:
        """What a cycle adds to the root's position on the ground: (2,), m."""
        gained: Array = self.qpos[-1, :2] - self.qpos[0, :2]
        return gained

    def cycle(self, time: Array) -> tuple[NDArray[np.int64], Array]:
        """Number of the cycle and time within it: (…,) each."""
        if not self.loops:
            return np.zeros(np.shape(time), dtype=np.int64), np.clip(time, 0, self.duration)
        number = np.floor(time / self.duration)
        return number.astype(np.int64), time - number * self.duration

    def within(self, time: float) -> Array:
        """Positions (nq,) at a time from 0 to the duration, between frames along the shortest way."""
        import mujoco

        model = humanoid()
        after = int(np.clip(np.searchsorted(self.time, time, side="right"), 1, len(self.time) - 1))
        start, end = self.time[after - 1], self.time[after]
        velocity = np.zeros(model.nv)
        qpos: Array = self.qpos[after - 1].copy()
        mujoco.mj_differentiatePos(model, velocity, end - start, qpos, self.qpos[after])
        mujoco.mj_integratePos(model, qpos, velocity, time - start)
        return qpos


def clip(motion: str) -> Clip:
    """The clip of that name, or in that file. UserError when there is none, or it is malformed."""
    path = source(motion)
    if path is None:
        from agent.envs.gait import gait

        return gait()
    return read(path, motion if motion in files() else path.stem)


def source(motion: str) -> Path | None:
    """The file of that motion; None where it needs none. UserError when there is no such motion."""
    if motion == DEFAULT:
        return None
    path = files().get(motion, Path(motion))
    try:
        found = path.is_file()
    except OSError as error:
        raise UserError(f"motion {motion}: {error.strerror}") from error
    if found:
        return path
    if path.suffix:
        raise UserError(f"motion {motion}: there is no such file")
    raise UserError(f"no motion {motion!r}{_near(motion)}")


@cache
def files() -> Mapping[str, Path]:
    """The clips of the `mocap` extra by name; none without it. Imports nothing of it."""
    spec = find_spec(_PACKAGE)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    return {
        path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX): path
        for place in places
        for path in sorted((Path(place) / _FOLDER).glob(f"{_PREFIX}*{_SUFFIX}"))
    }


def names() -> tuple[str, ...]:
    """What `motion` may be, apart from files."""
    return DEFAULT, *files()


def read(path: Path, name: str) -> Clip:
    """A clip from a file. UserError tells what is wrong, and in which frame."""
    try:
        content = json.loads(
            path.read_text(encoding="utf-8-sig")
        )  # editors of Windows write a mark first
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"motion {path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("Frames"), list):
        raise UserError(f'motion {path}: no list "Frames" in it')
    loop = content.get("Loop", "none")
    if loop not in ("wrap", "none"):
        raise UserError(f'motion {path}: "Loop" is {loop!r}, neither "wrap" nor "none"')
    frames = content["Frames"]
    if len(frames) < 2:
        raise UserError(f"motion {path}: {len(frames)} of the two frames a motion has at least")
    for number, frame in enumerate(frames, 1):
        reason = _fault_of(frame, last=number == len(frames))
        if reason:
            raise UserError(f"motion {path}: frame {number} of {len(frames)}: {reason}")
    table = np.array(frames, dtype=np.float64)
    time = np.concatenate(([0.0], np.cumsum(table[:-1, 0])))
    if not SHORTEST <= time[-1] <= LONGEST:
        raise UserError(
            f"motion {path}: it lasts {time[-1]:g} s, not {SHORTEST:.2g} to {LONGEST:g} s: a frame's"
            " first number is its duration in seconds"
        )
    return Clip(
        name=name,
        time=time,
        qpos=_positions(table[:, 1:]),
        loops=loop == "wrap",
    )


def _fault_of(frame: Any, *, last: bool) -> str:
    """What is wrong with a frame; empty when nothing is."""
    if not isinstance(frame, list) or not all(
        isinstance(x, int | float) and not isinstance(x, bool) for x in frame
    ):
        return "not a list of numbers"
    if len(frame) != NUMBERS:
        return f"{len(frame)} numbers instead of {NUMBERS}"
    if not all(abs(x) < MOST for x in frame):
        return f"a number is not finite, or beyond {MOST:,.0f}"
    if frame[0] <= 0 and not last:
        return f"a duration of {frame[0]:g} s"
    at = 4
    for part, width in ((ROOT, 4), *((part.name, WIDTHS[part.joint]) for part in JOINTS)):
        if width == 4 and not 0.5 < np.linalg.norm(frame[at : at + 4]) < 2:
            return f"the quaternion of {part} is not of length 1"
        at += width
    return ""


def _positions(frames: Array) -> Array:
    """The model's positions (frames, nq) from the file's numbers without the duration."""
    model = humanoid()
    qpos = np.empty((len(frames), model.nq))
    x, y, z = frames[:, :3].T
    qpos[:, :3] = np.stack((x, -z, y), axis=1)
    at = 3
    for name, width in ((ROOT, 4), *((part.name, WIDTHS[part.joint]) for part in JOINTS)):
        to = model.joint(name).qposadr[0] + (3 if name == ROOT else 0)
        values = frames[:, at : at + width]
        if width == 4:
            w, x, y, z = (values / np.linalg.norm(values, axis=1, keepdims=True)).T
            values = np.stack((w, x, -z, y), axis=1)
        qpos[:, to : to + width] = values
        at += width
    return qpos


def _near(motion: str) -> str:
    if not files():
        return f"; only {DEFAULT} needs no file: {HOW}"
    close = difflib.get_close_matches(motion.lower().removeprefix(_PREFIX), names(), n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{meant or ':'} there are {', '.join(names())}, and files of your own"
