"""Which OpenGL MuJoCo draws with: EGL, which needs no screen, unless somebody chose another."""

import ctypes
import os
import sys
from ctypes.util import find_library

from runlog.errors import UserError

NEEDED = (
    "drawing without a screen needs EGL: apt-get install libegl1 libgl1-mesa-dri (Debian, Ubuntu);"
    " the other way is MUJOCO_GL=osmesa with libosmesa6"
)
KNOWN = ("glfw", "glx", "egl", "osmesa")
OFF = ("disable", "disabled", "off", "false", "0")
ON = ("enable", "enabled", "on", "true", "1")
"""What else MUJOCO_GL may be: MuJoCo's own words."""
_EGL = "libEGL.so.1"


def choose() -> None:
    """Make it EGL where that is installed and nobody chose. To be called before MuJoCo is imported.

    A screen makes no difference: over SSH and in tmux DISPLAY often names one that has gone.
    UserError where importing MuJoCo would fail: another word, or a library that is not there.
    """
    if not sys.platform.startswith("linux"):
        return
    given = os.environ.get("MUJOCO_GL", "")
    chosen = given.strip().lower()
    if chosen and chosen not in (*KNOWN, *ON, *OFF):
        raise UserError(f"MUJOCO_GL={given}: it is one of {', '.join(KNOWN)}")
    if chosen == "egl" and not _loads(_EGL):
        raise UserError(f"MUJOCO_GL={given}, and there is no {_EGL}; {NEEDED}")
    if chosen == "osmesa" and not find_library("OSMesa"):
        raise UserError(f"MUJOCO_GL={given}, and there is no libOSMesa; {NEEDED}")
    if not chosen and _loads(_EGL):
        os.environ["MUJOCO_GL"] = "egl"


def require() -> None:
    """UserError where MuJoCo cannot draw."""
    chosen = os.environ.get("MUJOCO_GL", "")
    if not chosen and sys.platform.startswith("linux") and not _screen():
        raise UserError(NEEDED)
    import mujoco

    try:
        mujoco.Renderer(mujoco.MjModel.from_xml_string("<mujoco/>"), 16, 16).close()
    except (ImportError, AttributeError, RuntimeError, OSError, mujoco.FatalError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        which = f"with MUJOCO_GL={chosen}" if chosen else "on this screen"
        raise UserError(f"MuJoCo cannot draw {which} ({reason}); {NEEDED}") from error


def _screen() -> bool:
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
