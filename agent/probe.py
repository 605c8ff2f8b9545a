"""What an environment does before anything is learned: with random actions, and with none at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.envs.declared import solved_return
from agent.mujoco_warnings import MujocoWarnings
from agent.probe_spaces import Space, still
from agent.probe_walk import Env, Walk, close, walk
from runlog.errors import UserError

REPEATED = 250
"""Steps that are done a second time, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was found out about an environment. `again`: the start of `random` once more, in an
    environment made anew; None where `random` did not come through, or a second one cannot be made.
    `closing`: what closing it raised. `warnings`: MuJoCo's."""

    env_id: str
    env_args: Mapping[str, Any]
    seed: int
    action_space: Space
    observation_space: Space
    horizon: int | None
    solved_return: float | None
    random: Walk
    zero: Walk
    again: Walk | None
    closing: str | None
    warnings: Sequence[str]


def probe(
    make: Callable[[], Env], env_id: str, env_args: Mapping[str, Any], steps: int, seed: int
) -> Probe:
    """Walk `steps` random and `steps` zero-action steps from the same seed, and the first again."""
    heard = MujocoWarnings()
    env = make()
    heard.new()  # what MuJoCo finds old-fashioned in a model is no news
    spec = env.spec
    space = env.action_space
    space.seed(seed)
    nothing = still(space)
    random = walk(env, (space.sample() for _ in range(steps)), seed)
    zero = walk(env, (nothing for _ in range(steps)), seed)
    closing = close(env)
    again = None if random.raised is not None else _again(make, random, seed)
    return Probe(
        env_id=env_id,
        env_args=env_args,
        seed=seed,
        action_space=space,
        observation_space=env.observation_space,
        horizon=None if spec is None else spec.max_episode_steps,
        solved_return=solved_return(spec),
        random=random,
        zero=zero,
        again=again,
        closing=closing,
        warnings=heard.new(),
    )


def _again(make: Callable[[], Env], first: Walk, seed: int) -> Walk | None:
    try:
        env = make()
    except UserError:  # one that holds a port or a device, say
        return None
    repeated = walk(env, iter(first.actions[:REPEATED]), seed)
    close(env)
    return repeated
