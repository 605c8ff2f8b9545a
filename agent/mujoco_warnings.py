"""MuJoCo's warnings, heard instead of being written to MUJOCO_LOG.TXT in the working directory."""

import sys
import warnings
from importlib.util import find_spec


def hear() -> None:
    """Let MuJoCo's warnings be Python's, unless somebody hears them already."""
    if find_spec("mujoco") is not None:
        import mujoco

        if mujoco.get_mju_user_warning() is None:
            mujoco.set_mju_user_warning(_warn)


def _warn(text: str) -> None:
    if "deprecated" in text:  # Gymnasium's models are what they are
        return
    try:
        warnings.warn(f"MuJoCo: {text}", RuntimeWarning, stacklevel=2)
    except RuntimeWarning as error:  # where warnings are errors: one in C ends the process
        sys.stderr.write(f"{error}\n")


class MujocoWarnings:
    """From now on MuJoCo says its warnings here; `new()` hands out each sentence once."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._said: set[str] = set()
        if find_spec("mujoco") is not None:
            import mujoco

            mujoco.set_mju_user_warning(self._heard.append)

    def new(self) -> list[str]:
        """Warnings since the last call that were not handed out before, without times and numbers
        that would make each of a thousand equal ones a new one."""
        heard = [text.split(" Time = ")[0].strip() for text in self._heard]
        self._heard.clear()
        found = [text for text in dict.fromkeys(heard) if text not in self._said]
        self._said.update(found)
        return found
