"""Which OpenGL MuJoCo draws with: without a screen it is EGL, and that must be there."""

import ctypes
import os
import sys

from runlog.errors import UserError

NEEDED = (
    "drawing without a screen needs EGL: apt-get install libegl1 libgl1-mesa-dri (Debian, Ubuntu);"
    " the other way is MUJOCO_GL=osmesa with libosmesa6"
)
_EGL = "libEGL.so.1"


def choose() -> None:
    """Make it EGL where nobody chose and no screen is there. To be called before MuJoCo is imported.

    UserError where EGL was chosen and is not installed: importing MuJoCo would fail.
    """
    chosen = os.environ.get("MUJOCO_GL", "")
    if not sys.platform.startswith("linux"):
        return
    if chosen.lower() == "egl" and not _loads(_EGL):
        raise UserError(f"MUJOCO_GL={chosen}, and there is no {_EGL}; {NEEDED}")
    if not chosen and not _screen() and _loads(_EGL):
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
