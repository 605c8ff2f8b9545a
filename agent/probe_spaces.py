"""Spaces as a probe sees them: the action that does nothing, and the names of an observation's numbers."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple
from gymnasium.spaces.utils import flatdim, flatten_space
from numpy.typing import NDArray

from agent.envs.batch import Array
from agent.envs.declared import flattener

Space = gymnasium.Space[Any]


def still(space: Space) -> Any:
    """The action 0, or what the space has nearest to it; a sample where nothing is near 0."""
    if isinstance(space, Box):
        return np.clip(np.zeros(space.shape), space.low, space.high).astype(space.dtype)
    if isinstance(space, Discrete):
        return space.start
    if isinstance(space, MultiDiscrete):
        return np.array(space.start, dtype=space.dtype)
    if isinstance(space, MultiBinary):
        return np.zeros(space.shape, dtype=space.dtype)
    if isinstance(space, Dict):
        return {name: still(part) for name, part in space.spaces.items()}
    if isinstance(space, Tuple):
        return tuple(still(part) for part in space.spaces)
    return space.sample()


def numbers_of(space: Space) -> Callable[[Any], Array] | None:
    """A function from an observation to its numbers (dim,); None where it is no list of numbers."""
    try:
        flatdim(space)
    except (NotImplementedError, ValueError):
        return None
    return flattener(space)


def component(space: Space, index: int, name: str = "observation") -> str:
    """What the number at `index` of the flat observation is called, as Python would."""
    parts: list[tuple[str, Space]] = []
    if isinstance(space, Dict):
        parts = [(f"{name}[{key!r}]", part) for key, part in space.spaces.items()]
    elif isinstance(space, Tuple):
        parts = [(f"{name}[{i}]", part) for i, part in enumerate(space.spaces)]
    for called, part in parts:
        width = int(flatdim(part))
        if index < width:
            return component(part, index, called)
        index -= width
    if isinstance(space, Box) and space.shape:
        where = np.unravel_index(index, space.shape)
        return f"{name}[{', '.join(str(int(i)) for i in where)}]"
    if isinstance(space, Discrete):
        return f"{name} == {int(space.start) + index}"
    return name if flatdim(space) == 1 else f"{name}, number {index + 1}"


def measured(space: Space) -> NDArray[np.bool_]:
    """Which numbers of the flat observation (dim,) are a Box's, not one of several flags."""
    if isinstance(space, Dict | Tuple):
        parts = space.spaces.values() if isinstance(space, Dict) else space.spaces
        return np.concatenate([np.zeros(0, dtype=bool), *(measured(part) for part in parts)])
    return np.full(int(flatdim(space)), isinstance(space, Box))


def limits(space: Space) -> tuple[Array, Array] | None:
    """Smallest and largest allowed value of each number (dim,); None where there are no numbers."""
    if numbers_of(space) is None:
        return None
    flat = flatten_space(space)
    if not isinstance(flat, Box):
        return None
    return flat.low.astype(np.float64).reshape(-1), flat.high.astype(np.float64).reshape(-1)


def misfit(space: Space, observation: Any, name: str = "observation") -> str | None:
    """How an observation differs in form from what its space declares; None where it does not."""
    if observation is None:
        return f"{name} is None"
    if isinstance(space, Box):
        try:
            shape = np.asarray(observation, dtype=np.float64).shape
        except (TypeError, ValueError):
            return f"{name} is a {type(observation).__name__}, not an array of numbers"
        if shape != space.shape:
            return f"{name} has the shape {shape}, its space declares {space.shape}"
        return None
    if isinstance(space, Dict):
        if not isinstance(observation, Mapping):
            return f"{name} is a {type(observation).__name__}, its space declares a dict"
        missing = [key for key in space.spaces if key not in observation]
        if missing:
            return f"{name} has no {missing[0]!r}, which its space declares"
        parts = [(f"{name}[{key!r}]", part, observation[key]) for key, part in space.spaces.items()]
    elif isinstance(space, Tuple):
        if not isinstance(observation, tuple) or len(observation) != len(space.spaces):
            return f"{name} is no tuple of {len(space.spaces)}, which its space declares"
        parts = [(f"{name}[{i}]", part, observation[i]) for i, part in enumerate(space.spaces)]
    else:
        return None if space.contains(observation) else f"{name} is {observation!r}, not in {space}"
    told = (misfit(part, value, called) for called, part, value in parts)
    return next((each for each in told if each is not None), None)
