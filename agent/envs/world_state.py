"""What one Gymnasium environment needs to go on later as if nothing had happened.

An environment of your own can be stored if it has two methods:

    save_state() -> dict        everything its next steps depend on: nested dicts and lists of
                                numpy arrays, numbers and text
    restore_state(state) -> None

Its random generator `np_random` and the steps counted by the time limit are stored for it.
"""

from typing import Any

import gymnasium
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from agent.envs.batch import State, generator_text, set_generator
from runlog.errors import UserError

KNOWN = (OrderEnforcing, PassiveEnvChecker, TimeLimit)
"""Wrappers whose state is known; another one may hold what is not seen from outside."""


def wrappers(environment: gymnasium.Env[Any, Any]) -> list[Any]:
    """The wrappers around an environment, from the outermost on."""
    found = []
    while isinstance(environment, gymnasium.Wrapper):
        found.append(environment)
        environment = environment.env
    return found


def storable(environment: gymnasium.Env[Any, Any]) -> bool:
    """Whether `world_state` can tell all."""
    inner = environment.unwrapped
    return all(type(wrapper) in KNOWN for wrapper in wrappers(environment)) and all(
        callable(getattr(inner, name, None)) for name in ("save_state", "restore_state")
    )


def world_state(environment: gymnasium.Env[Any, Any]) -> State:
    """State of one storable environment."""
    return {
        "environment": environment.unwrapped.save_state(),  # type: ignore[attr-defined]  # storable
        "generator": generator_text(environment.unwrapped.np_random),
        "elapsed": [wrapper._elapsed_steps for wrapper in _time_limits(environment)],
    }


def restore_world(environment: gymnasium.Env[Any, Any], state: State) -> None:
    """Bring an environment to the state of another one of its kind."""
    environment.reset(seed=0)  # wrappers refuse a step before the first reset
    environment.unwrapped.restore_state(state["environment"])  # type: ignore[attr-defined]  # storable
    set_generator(environment.unwrapped.np_random, state["generator"])
    for wrapper, elapsed in zip(_time_limits(environment), state["elapsed"], strict=True):
        wrapper._elapsed_steps = elapsed


def require_worlds(stored: int, here: int) -> None:
    """UserError unless a stored batch has as many worlds as this one."""
    if stored != here:
        raise UserError(
            f"the checkpoint holds {stored} environments, not {here}: resume with the settings"
            " it was made with"
        )


def _time_limits(environment: gymnasium.Env[Any, Any]) -> list[Any]:
    return [wrapper for wrapper in wrappers(environment) if isinstance(wrapper, TimeLimit)]
