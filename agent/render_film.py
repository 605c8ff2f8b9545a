"""A film: what an environment looks like while somebody acts in it, or while a motion is played."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import gymnasium
import numpy as np

from agent.envs.camera import Picture
from agent.envs.dp_env import DPEnv
from runlog.errors import UserError

World = gymnasium.Env[Any, Any]
Act = Callable[[Any], Any]
"""Observation of the environment → action."""
RATE = 30
"""Steps a second of an environment that does not say how many it makes."""
PAUSE = 0.5
"""s that the last picture of an episode stands."""
MOST_BYTES = 10**9
"""Of pictures held in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The world has reached a new state. `reward`: of the step to it; None where an episode begins."""

    reward: float | None
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An episode of the film, so far as it goes. `length` in steps."""

    total: float
    length: int
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """`seconds`: how long each of the pictures stands. All pictures have the same size."""

    pictures: tuple[Picture, ...]
    seconds: tuple[float, ...]
    episodes: tuple[Shown, ...]


def acted(world: World, act: Act, seed: int) -> Iterator[Moment]:
    """Episode after episode, the first from that seed."""
    first: int | None = seed
    while True:
        observation, _ = world.reset(seed=first)
        first, over = None, False
        yield Moment(reward=None)
        while not over:
            observation, reward, terminated, truncated, _ = world.step(act(observation))
            over = bool(terminated or truncated)
            yield Moment(reward=float(reward), over=over)


def played(world: DPEnv) -> Iterator[Moment]:
    """The motion itself, step by step; one that does not loop begins anew when it is over."""
    reference = world.task.reference
    end = reference.rows if reference.clip.loops else reference.starts + 1
    while True:
        for row in range(end):
            yield Moment(reward=world.place(row), over=row == end - 1)


def rate_of(world: World) -> float:
    """Steps a second, as the environment declares them."""
    return float(world.metadata.get("render_fps") or RATE)


def in_time(steps: int, rate: float, fps: float) -> list[int]:
    """Steps to show so that `fps` pictures stand for a second, or every step where it has fewer."""
    ticks = [math.floor(step * fps / rate + 1e-9) for step in range(-1, steps)]
    return [step for step in range(steps) if ticks[step + 1] > ticks[step]]


def evenly(steps: int, count: int) -> list[int]:
    """`count` steps, the first and the last among them; all where there are no more."""
    return sorted({round(k) for k in np.linspace(0, steps - 1, min(count, steps))})


def film(world: World, moments: Iterable[Moment], steps: int, shown: list[int]) -> Film:
    """The steps `shown` of `steps` states. UserError where the environment draws nothing."""
    pictures: list[Picture] = []
    stands: list[float] = []
    episodes: list[Shown] = []
    wanted, step = set(shown), 1 / rate_of(world)
    for k, moment in enumerate(islice(moments, steps)):
        before = episodes[-1] if episodes and not episodes[-1].over else None
        if before is not None:
            del episodes[-1]
        episodes.append(
            Shown(
                total=(before.total if before else 0.0) + (moment.reward or 0.0),
                length=(before.length if before else 0) + (moment.reward is not None),
                over=moment.over,
            )
        )
        if k in wanted:
            pictures.append(_picture(world))
            stands.append(0.0)
            _require_room(pictures[0].nbytes * len(shown))
        stands[-1] += step + (PAUSE if moment.over else 0.0)
    return Film(pictures=tuple(pictures), seconds=tuple(stands), episodes=tuple(episodes))


def _picture(world: World) -> Picture:
    try:
        drawn = world.render()
    except gymnasium.error.Error as error:
        raise UserError(f"{_name(world)} cannot be drawn: {error}") from error
    picture = np.asarray(drawn)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise UserError(
            f"{_name(world)} draws no pictures: render() gives {type(drawn).__name__} of shape"
            f" {picture.shape}, {picture.dtype}, instead of (height, width, 3) uint8"
        )
    return picture


def _require_room(needed: int) -> None:
    if needed > MOST_BYTES:
        raise UserError(
            f"the pictures of this film would take {needed / 1e9:.1f} GB of memory:"
            " make it shorter (--seconds) or smaller (--size)"
        )


def _name(world: World) -> str:
    return world.spec.id if world.spec is not None else type(world.unwrapped).__name__
