"""Ground, sky and sun of the humanoid: nothing but the ground is felt."""

from typing import Any

SKY = (0.94, 0.95, 0.96)


def furnish(spec: Any) -> None:
    """Ground, light and sky: pale and nearly flat, so that few colours are enough for a film.

    The ground is called "ground" and felt by everything that feels at all.
    """
    import mujoco

    visual = spec.visual
    visual.quality.shadowsize = 2048
    visual.global_.offwidth, visual.global_.offheight = 1280, 960
    visual.global_.fovy = 20  # from afar: two figures side by side appear alike in size
    visual.headlight.ambient = (0.5, 0.5, 0.5)
    visual.headlight.diffuse = (0.3, 0.3, 0.3)
    visual.headlight.specular = (0, 0, 0)
    visual.map.shadowclip = 2  # extents around the sun that cast shadows
    visual.rgba.haze = visual.rgba.fog = (*SKY, 1)
    spec.stat.extent = 3  # m, of what is lit and in sight
    texture, builtin = mujoco.mjtTexture, mujoco.mjtBuiltin
    spec.add_texture(
        name="sky",
        type=texture.mjTEXTURE_SKYBOX,
        builtin=builtin.mjBUILTIN_FLAT,
        rgb1=SKY,
        rgb2=SKY,
        width=8,
        height=8,
    )
    spec.add_texture(
        name="squares",
        type=texture.mjTEXTURE_2D,
        builtin=builtin.mjBUILTIN_CHECKER,
        rgb1=(0.9, 0.91, 0.92),
        rgb2=(0.84, 0.855, 0.87),
        width=256,
        height=256,
    )
    ground = spec.add_material(name="ground", texrepeat=(0.5, 0.5), texuniform=True)
    ground.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "squares"
    world = spec.worldbody
    world.add_geom(
        name="ground",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(0, 0, 1),
        material="ground",
        contype=1,
        conaffinity=0,
    )


def add_sun(root: Any) -> None:
    """A sun that goes where the humanoid goes: shadows are drawn around its place only."""
    import mujoco

    root.add_light(
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TRACK,
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=(1, -1.5, 4),
        dir=(-1, 1.5, -4),
        ambient=(0, 0, 0),
        diffuse=(0.5, 0.5, 0.5),
        specular=(0.1, 0.1, 0.1),
    )
