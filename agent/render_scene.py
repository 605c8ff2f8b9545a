"""What is filmed: an environment that draws itself, and what happens in it."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

from agent.arguments import env_args
from agent.envs.declared import flattener
from agent.envs.dp_env import DPEnv
from agent.probe_spaces import still
from agent.render_film import Act, Moment, World, acted, played
from agent.render_world import drawn_world
from agent.trained import Trained, trained
from runlog.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`title` says who acts."""

    world: World
    moments: Iterator[Moment]
    title: str


def scene_of(given: argparse.Namespace) -> Scene:
    """What the arguments of `render` name. UserError where there is no such thing to film."""
    values = env_args(given.env_arg)
    if Path(given.what).exists():
        return _of_run(given, values)
    if given.iteration is not None:
        raise UserError(f"--iteration is for a run, and {given.what} is no folder")
    _require_namespace(given.what)
    world = drawn_world(given.what, values, given.size)
    if given.reference:
        bare = world.unwrapped
        if not isinstance(bare, DPEnv):
            raise UserError(f"--reference: {given.what} imitates no motion; DPEnv does")
        bare.reference_shown = False
        name = bare.task.reference.clip.name
        return Scene(world=bare, moments=played(bare), title=f"the motion {name}")
    space = world.action_space
    if given.random:
        space.seed(given.seed)
        moments = acted(world, lambda _: space.sample(), given.seed)
        return Scene(world=world, moments=moments, title="random actions")
    nothing = still(space)
    moments = acted(world, lambda _: nothing, given.seed)
    return Scene(world=world, moments=moments, title="zero actions")


def _of_run(given: argparse.Namespace, values: Mapping[str, Any]) -> Scene:
    if given.random or given.reference:
        raise UserError("--random and --reference are for an environment, not for a run")
    policy = trained(Path(given.what), given.iteration)
    world = drawn_world(policy.config.env, {**policy.config.env_args, **values}, given.size)
    moments = acted(world, deterministic(policy, world), given.seed)
    return Scene(world=world, moments=moments, title=f"iteration {policy.iteration}")


def deterministic(policy: Trained, world: World) -> Act:
    """The policy's mean action. UserError where the world is not as the one it was trained in."""
    flat, shape = flattener(world.observation_space), world.action_space.shape or ()
    seen = flat(world.observation_space.sample()).size
    if seen != policy.facts.observation_dim:
        raise UserError(
            f"the policy was trained on observations of {policy.facts.observation_dim} numbers;"
            f" with this --env-arg they have {seen}"
        )
    return lambda observation: policy.act(flat(observation)).reshape(shape)


def _require_namespace(what: str) -> None:
    """UserError where a path was meant that leads nowhere: an id may have a slash in it, too."""
    namespaces = {spec.namespace for spec in gymnasium.registry.values()}
    first, slash, _ = what.rpartition("/")
    if slash and ":" not in what and first not in namespaces:
        raise UserError(f"{what}: there is no run, and no environment of that name")
