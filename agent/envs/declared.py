"""What a Gymnasium environment declares: spaces, time limit, the return that counts as solved."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box
from gymnasium.spaces.utils import flatdim, flatten
from numpy.typing import NDArray

from agent.envs.batch import Array, Facts
from runlog.errors import UserError


def facts_of(env: Any, env_id: str | None, env_args: Mapping[str, Any]) -> Facts:
    """What the environment declares; UserError for spaces this agent cannot learn in."""
    spec = env.spec
    name = env_id or (spec.id if spec is not None else None)
    shown = name or type(env).__name__
    action = getattr(env, "single_action_space", env.action_space)
    observation = getattr(env, "single_observation_space", env.observation_space)
    if not isinstance(action, Box) or not np.issubdtype(action.dtype, np.floating):
        raise UserError(
            f"{shown} has the action space {action}: TRPO here needs continuous actions"
        )
    try:
        observation_dim = flatdim(observation)
    except (NotImplementedError, ValueError) as error:
        raise UserError(
            f"{shown}: its observations {observation} are no list of numbers"
        ) from error
    return Facts(
        env_id=name,
        env_args=dict(env_args) or (dict(spec.kwargs) if spec is not None else {}),
        observation_dim=observation_dim,
        action_low=_single(action.low, inside=np.inf),
        action_high=_single(action.high, inside=-np.inf),
        horizon=None if spec is None else spec.max_episode_steps,
        solved_return=solved_return(spec),
    )


def solved_return(spec: EnvSpec | None) -> float | None:
    """The return declared solved; None where episodes were made shorter than those it is declared for."""
    declared = None if spec is None else gymnasium.registry.get(spec.id)
    if spec is None or declared is None:
        return None if spec is None else spec.reward_threshold
    limits = spec.max_episode_steps, declared.max_episode_steps
    shortened = limits[0] is not None and (limits[1] is None or limits[0] < limits[1])
    return None if shortened else spec.reward_threshold


def _single(bound: NDArray[Any], inside: float) -> NDArray[np.float32]:
    """Bounds (action_dim,) in single precision, rounded towards `inside`: one in double precision
    that was rounded outwards would let through what the environment refuses."""
    exact = np.asarray(bound, dtype=np.float64).reshape(-1)
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    outside = np.isfinite(rounded) & ((rounded > exact) if inside < 0 else (rounded < exact))
    return np.where(outside, np.nextafter(rounded, np.float32(inside)), rounded)


def flattener(space: gymnasium.Space[Any]) -> Callable[[Any], Array]:
    """A function from an observation of that space to (observation_dim,) float64."""
    if isinstance(space, Box):
        # A copy: some environments hand out the buffer they write the next observation into.
        return lambda observation: np.array(observation, dtype=np.float64).reshape(-1)
    return lambda observation: np.array(flatten(space, observation), dtype=np.float64)
