"""A camera that walks along with the humanoid, and shows the reference beside it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.humanoid import PARTS
from agent.envs.reference import Reference

BESIDE = (0.5, 1.0)
"""m, ahead and to the left of where it is: the reference, as it is shown beside the humanoid."""
AZIMUTH, ELEVATION = 120.0, -8.0
"""Of the view, degrees: from the right, a little from the front and from above."""
ROOM = 0.2
"""m; around what the reference reaches."""
STRAYING = 0.5
"""m; more across, for a humanoid that falls or stays behind."""
PALE = (0.98, 0.78, 0.45)
"""What the reference's colours are drawn towards, and how far."""
PALENESS = 0.7
Picture = NDArray[np.uint8]


class Camera:
    """Pictures (height, width, 3) uint8 of one humanoid, or of one and its reference side by side.

    All of both is in sight wherever they go. Holds an OpenGL context until it is closed.
    """

    def __init__(self, model: Any, of: Reference, width: int, height: int) -> None:
        import mujoco

        shapes = [model.geom(part.name).id for part in PARTS]
        places = of.fields["geom_xpos"][:, shapes]
        away = places[..., :2] - of.fields["qpos"][:, None, :2]
        self._reach = float(np.sqrt((away**2).sum(axis=-1)).max()) + ROOM
        self._top = float(places[..., 2].max()) + ROOM
        self._aspect = width / height
        self._model = model
        self._alone = self._distance((0.0, 0.0))
        self._both = self._distance(BESIDE, STRAYING)
        far = self._both / model.stat.extent
        model.vis.map.fogstart, model.vis.map.fogend = 1.15 * far, 2.5 * far
        self._beside = mujoco.MjData(model)
        self._renderer = mujoco.Renderer(model, height=height, width=width)
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_FOG] = True  # far squares would flicker
        self._view = mujoco.MjvCamera()
        self._view.azimuth, self._view.elevation = AZIMUTH, ELEVATION

    def picture(self, data: Any, wanted: Array | None) -> Picture:
        """What `data` (an MjData) is; beside it the reference at positions `wanted` (nq,)."""
        import mujoco

        apart = np.zeros(2)
        if wanted is not None:
            apart[:] = wanted[:2] + BESIDE - data.qpos[:2]
            self._beside.qpos[:] = wanted
            self._beside.qpos[:2] += BESIDE
            mujoco.mj_kinematics(self._model, self._beside)
        self._view.lookat[:] = *(data.qpos[:2] + apart / 2), (self._top - ROOM) / 2
        self._view.distance = self._alone if wanted is None else self._both
        self._renderer.update_scene(data, self._view)
        if wanted is not None:
            self._add(self._beside)
        picture: Picture = self._renderer.render()
        return picture

    def _distance(self, beside: tuple[float, float], straying: float = 0.0) -> float:
        """m, from which two figures that far apart are in sight."""
        turn, tilt = np.radians(AZIMUTH), np.radians(-ELEVATION)
        across = (
            2 * self._reach + straying + abs(beside[0] * np.sin(turn) - beside[1] * np.cos(turn))
        )
        along = 2 * self._reach + abs(beside[0] * np.cos(turn) + beside[1] * np.sin(turn))
        upright = self._top * np.cos(tilt) + along * np.sin(tilt)
        seen = 2 * np.tan(np.radians(self._model.vis.global_.fovy) / 2)  # m, of each m away
        return float(max(upright, across / self._aspect) / seen)

    def _add(self, data: Any) -> None:
        import mujoco

        scene = self._renderer.scene
        before = scene.ngeom
        mujoco.mjv_addGeoms(
            self._model,
            data,
            mujoco.MjvOption(),
            mujoco.MjvPerturb(),
            mujoco.mjtCatBit.mjCAT_DYNAMIC,
            scene,
        )
        for shape in scene.geoms[before : scene.ngeom]:
            shape.rgba[:3] = (1 - PALENESS) * shape.rgba[:3] + PALENESS * np.array(PALE)

    def close(self) -> None:
        self._renderer.close()
