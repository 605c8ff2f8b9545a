"""Pictures as a file: a GIF that moves, or a PNG with some of them side by side."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from agent.envs.camera import Picture
from agent.render_film import Film
from runlog.errors import UserError

COLOURS = 128
"""Of a GIF: fewer show steps in the shadows, more make it larger."""
SAMPLE = 12
"""Pictures that the colours are taken from."""
GAP = 2
"""Pixels between the pictures of a strip."""


def write(film: Film, path: Path, size: tuple[int, int]) -> tuple[int, int]:
    """Write a film as the name's ending says; the size of a picture in the file.

    Pictures larger than `size` are made smaller, in their own proportions. UserError where the file
    cannot be written; nothing half-written stays.
    """
    images = [_fitted(picture, size) for picture in film.pictures]
    temporary = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.lower() == ".png":
            _strip(images).save(temporary, format="PNG", optimize=True)
        else:
            _save_gif(images, _hundredths(film.seconds), temporary)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path}: {error.strerror or error}") from error
    return images[0].size


def _fitted(picture: Picture, size: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(picture)
    image.thumbnail(size, Image.Resampling.LANCZOS)
    return image


def _strip(images: list[Image.Image]) -> Image.Image:
    width, height = images[0].size
    strip = Image.new("RGB", (len(images) * (width + GAP) - GAP, height), "white")
    for k, image in enumerate(images):
        strip.paste(image, (k * (width + GAP), 0))
    return strip


def _save_gif(images: list[Image.Image], hundredths: list[int], path: Path) -> None:
    chosen = [
        images[k] for k in np.linspace(0, len(images) - 1, min(SAMPLE, len(images)), dtype=int)
    ]
    palette = _strip(chosen).quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1)
    # The same colours throughout and none mixed of dots: dots change from picture to picture.
    frames = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    how: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "loop": 0}
    frames[0].save(path, format="GIF", duration=[10 * each for each in hundredths], **how)


def _hundredths(seconds: tuple[float, ...]) -> list[int]:
    """How long each picture stands in the unit of a GIF, so that all of them together keep time."""
    ends = np.rint(100 * np.cumsum(seconds)).astype(int)
    return [int(stands) for stands in np.diff(ends, prepend=0)]
