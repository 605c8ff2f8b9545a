"""`trpo-tui render`: a short film of a trained policy, or of an environment."""

import argparse
import contextlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.flags import Parser, text
from runlog.errors import UserError

SIZE = (320, 240)
MOST_SIZE = (1280, 960)
ENDINGS = (".gif", ".png")
SHORTEST, FRAMES, MOST_FPS = 0.1, 6, 50
NAMED = 4
"""Episodes told one by one, at most."""


def parser() -> Parser:
    """The command line of `render`."""
    render = Parser(
        prog="trpo-tui render",
        description="Film the policy of a run, as its checkpoint has it, without noise; in DPEnv"
        " beside the motion it imitates. Or film an environment in which nobody acts.",
        allow_abbrev=False,
    )
    add = render.add_argument
    add("what", metavar="RUN|ENV", help="folder of a run, or a Gymnasium id (MODULE:ID imports)")
    add("-o", dest="out", metavar="FILE", help="film.gif, or film.png: some pictures in a row")
    add(
        "--iteration",
        "--checkpoint",
        metavar="N",
        type=_number(int, 0, 10**9),
        help="RUN's checkpoint of that iteration [the last]",
    )
    how = render.add_mutually_exclusive_group()
    how.add_argument("--random", action="store_true", help="ENV: random actions instead of 0")
    how.add_argument("--reference", action="store_true", help="DPEnv: the motion itself, played")
    add(
        "--env-arg",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="argument of the environment; may be given again",
    )
    add(
        "--seconds",
        metavar="X",
        type=_number(float, SHORTEST, 600),
        default=5.0,
        help="of the environment's time [5]",
    )
    add(
        "--fps",
        metavar="N",
        type=_number(int, 1, MOST_FPS),
        default=30,
        help="pictures a second, at most [30]",
    )
    add("--frames", metavar="N", type=_number(int, 1, 60), help=f"pictures in a .png [{FRAMES}]")
    add("--size", metavar="WxH", type=_size, default=SIZE, help="pixels of a picture [320x240]")
    add(
        "--seed",
        metavar="N",
        type=_number(int, 0, 2**32 - 1),
        default=0,
        help="of the first episode [0]",
    )
    return render


def main(arguments: Sequence[str]) -> int:
    """Film what the arguments say, and print one line about it. Returns the exit code."""
    given = parser().parse_args(text(arguments))
    out = _out(given)
    from agent import render_gl

    render_gl.choose()  # before anything imports MuJoCo
    sys.path.append(str(Path.cwd()))  # where MODULE of MODULE:ID may lie; nobody's way there
    from agent.render_files import write
    from agent.render_film import evenly, film, in_time, rate_of
    from agent.render_scene import scene_of
    from agent.results import say

    with contextlib.redirect_stdout(sys.stderr):  # what an environment prints is no result
        scene = scene_of(given)
        try:
            rate = rate_of(scene.world)
            steps = max(1, round(given.seconds * rate))
            strip = out.suffix.lower() == ".png"
            shown = (
                evenly(steps, given.frames or FRAMES) if strip else in_time(steps, rate, given.fps)
            )
            filmed = film(scene.world, scene.moments, steps, shown)
        finally:
            scene.world.close()
    replaced = out.exists()
    size = write(filmed, out, given.size)
    say(_line(out, replaced, size, scene.title, filmed, steps / rate) + "\n")
    return 0


def _line(
    out: Path, replaced: bool, size: tuple[int, int], title: str, film: Any, seconds: float
) -> str:
    """What was written, and what is to be seen there."""
    written = f"{out}{' (replaced)' if replaced else ''}: {out.stat().st_size / 1000:.0f} kB"
    pictures = f"{len(film.pictures)} pictures of {size[0]}x{size[1]}"
    told = [
        f"{each.total:.1f} in {each.length} steps{'' if each.over else ' (goes on)'}"
        for each in film.episodes[:NAMED]
    ]
    more = len(film.episodes) - len(told)
    returns = "; ".join([*told, *([f"{more} more"] if more else [])])
    of = "of " if out.suffix.lower() == ".png" else ""
    return f"{written}, {pictures}, {of}{seconds:.1f} s; {title}: return {returns}"


def _out(given: argparse.Namespace) -> Path:
    """The file to write. UserError for one that is neither a GIF nor a PNG, or in no folder."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(given.what).resolve().name)
    out = Path(given.out) if given.out else Path(f"{name}.gif")
    if out.suffix.lower() not in ENDINGS or out.is_dir():
        raise UserError(
            f"-o {out}: name a file that ends in .gif, or in .png for a row of pictures"
        )
    if not out.parent.is_dir():
        raise UserError(f"-o {out}: there is no folder {out.parent}")
    if given.frames is not None and out.suffix.lower() != ".png":
        raise UserError("--frames is for a row of pictures: -o FILE.png")
    return out


def _size(given: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", given)
    width, height = map(int, found.groups()) if found else (0, 0)
    if not (16 <= width <= MOST_SIZE[0] and 16 <= height <= MOST_SIZE[1]):
        raise argparse.ArgumentTypeError(f"{given}: write WIDTHxHEIGHT, from 16x16 to 1280x960")
    return width, height


def _number(kind: type[int] | type[float], least: float, most: float) -> Any:
    def parse(given: str) -> float:
        try:
            value = kind(given)
        except ValueError:
            value = kind(least - 1)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{given}: must be from {least:,} to {most:,}")
        return value

    return parse
