"""Any Gymnasium environment with continuous actions as a batch of worlds."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray

from agent.envs.batch import NEVER, Array, Batch, BatchStep, Facts, State, first_limits, world_seeds
from agent.envs.declared import facts_of, flattener
from agent.envs.mujoco_batch import mujoco_batch
from agent.envs.world_state import require_worlds, restore_world, storable, world_state
from agent.mujoco_warnings import hear
from runlog.errors import UserError

REWARD_TERM = "reward_"
"""Entries of `info` with this prefix are terms of the reward; one that is not there paid nothing."""


class GymBatch:
    """Gymnasium environments stepped one after the other; each is reset as soon as it ends."""

    def __init__(self, environments: Sequence[gymnasium.Env[Any, Any]], facts: Facts) -> None:
        self._environments = tuple(environments)
        self._facts = facts
        self._flatten = flattener(self._environments[0].observation_space)
        self._action_shape = self._environments[0].action_space.shape
        self._storable = all(storable(environment) for environment in self._environments)
        self._age = np.zeros(len(self._environments), dtype=np.int64)
        self._limit = first_limits(len(self._environments), facts.horizon)
        self._observation = np.zeros((len(self._environments), facts.observation_dim))

    @property
    def worlds(self) -> int:
        return len(self._environments)

    @property
    def facts(self) -> Facts:
        return self._facts

    def reset(self, seed: int) -> Array:
        self._age = np.zeros(self.worlds, dtype=np.int64)
        self._limit = first_limits(self.worlds, self._facts.horizon)
        seeds = world_seeds(seed, self.worlds)
        self._observation = np.stack(
            [
                self._flatten(environment.reset(seed=each)[0])
                for environment, each in zip(self._environments, seeds, strict=True)
            ]
        )
        return self._observation

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        n = self.worlds
        observation = np.empty((n, self._facts.observation_dim))
        reward = np.empty(n)
        terminated, truncated = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        final: dict[int, Array] = {}
        terms: dict[str, Array] = {}
        staggered = []
        self._age += 1
        for i, environment in enumerate(self._environments):
            try:
                obs, r, ends, cut, info = environment.step(action[i].reshape(self._action_shape))
                reached = self._flatten(obs)
                if self._age[i] >= self._limit[i] and not (ends or cut):
                    staggered.append(i)
                    cut = True
                if ends or cut:
                    self._age[i], self._limit[i] = 0, NEVER
                    final[i] = reached
                    reached = self._flatten(environment.reset()[0])
            except Exception as error:
                error.add_note(f"raised by environment {i} of {n}")
                raise
            observation[i], reward[i] = reached, r
            terminated[i], truncated[i] = bool(ends), bool(cut) and not ends
            for name, value in info.items():
                if name.startswith(REWARD_TERM) and np.ndim(value) == 0:
                    terms.setdefault(name[len(REWARD_TERM) :], np.zeros(n))[i] = value
        self._observation = observation
        return BatchStep(
            observation=observation,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            final_observation=final,
            reward_terms=terms,
            staggered=staggered,
        )

    def state(self) -> State | None:
        if not self._storable:
            return None
        return {
            "worlds": [world_state(environment) for environment in self._environments],
            "age": self._age.copy(),
            "limit": self._limit.copy(),
            "observation": self._observation.copy(),
        }

    def restore(self, state: State) -> Array:
        require_worlds(len(state["worlds"]), self.worlds)
        for environment, stored in zip(self._environments, state["worlds"], strict=True):
            restore_world(environment, stored)
        self._age, self._limit = state["age"].copy(), state["limit"].copy()
        self._observation = state["observation"].copy()
        return self._observation

    def close(self) -> None:
        for environment in self._environments:
            environment.close()


class GymVectorBatch:
    """A user's vectorised Gymnasium environment that resets within the step that ends an episode.

    Its worlds are neither staggered nor stored: nobody else can reset or look into one of them.
    """

    def __init__(self, vector: VectorEnv[Any, Any, Any], facts: Facts) -> None:
        self._vector = vector
        self._facts = facts
        self._flatten = flattener(vector.single_observation_space)
        self._action_shape = vector.single_action_space.shape

    @property
    def worlds(self) -> int:
        return int(self._vector.num_envs)

    @property
    def facts(self) -> Facts:
        return self._facts

    def reset(self, seed: int) -> Array:
        observation, _ = self._vector.reset(
            seed=world_seeds(seed, self.worlds)  # type: ignore[arg-type]  # lists work in all
        )
        return self._rows(observation)

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        shaped = action.reshape((self.worlds, *(self._action_shape or ())))
        observation, reward, terminated, truncated, info = self._vector.step(shaped)
        ended = np.flatnonzero(terminated | truncated)
        terms = self._terms(info)
        if isinstance(
            info.get("final_info"), Mapping
        ):  # where an episode ended, `info` is the reset's
            last = self._terms(info["final_info"])
            over, nothing = terminated | truncated, np.zeros(self.worlds)
            terms = {
                name: np.where(over, last.get(name, nothing), terms.get(name, nothing))
                for name in terms | last
            }
        return BatchStep(
            observation=self._rows(observation),
            reward=np.asarray(reward, dtype=np.float64),
            terminated=np.asarray(terminated, dtype=bool),
            truncated=np.asarray(truncated, dtype=bool) & ~np.asarray(terminated, dtype=bool),
            final_observation={int(i): self._flatten(info["final_obs"][i]) for i in ended},
            reward_terms=terms,
        )

    def state(self) -> State | None:
        return None

    def restore(self, state: State) -> Array:  # noqa: ARG002 no state is this one's
        raise UserError(f"{type(self._vector).__name__} cannot go on from a stored state")

    def _terms(self, info: Mapping[str, Any]) -> dict[str, Array]:
        """The terms of the reward that are told: (worlds,) each, a copy."""
        return {
            name[len(REWARD_TERM) :]: np.array(value, dtype=np.float64)
            for name, value in info.items()
            if name.startswith(REWARD_TERM) and np.shape(value) == (self.worlds,)
        }

    def _rows(self, observation: Any) -> Array:
        return np.stack([self._flatten(observation[i]) for i in range(self.worlds)])

    def close(self) -> None:
        self._vector.close()


def make_batch(env_id: str, worlds: int, env_args: Mapping[str, Any]) -> Batch:
    """`worlds` environments made by id. UserError when there is no such environment to learn in."""

    hear()
    env_id = versioned(env_id)
    first = make_one(env_id, env_args)
    facts = facts_of(first, env_id, env_args)
    fast = mujoco_batch(first, worlds, facts)
    if fast is not None:
        return fast
    return GymBatch([first, *(make_one(env_id, env_args) for _ in range(worlds - 1))], facts)


def make_one(env_id: str, env_args: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    """One environment made by its full id. UserError when there is none, or not with such arguments."""
    try:
        return gymnasium.make(env_id, disable_env_checker=True, **env_args)
    except (gymnasium.error.Error, ImportError) as error:
        reason = _first_line(error).partition(" Did you mean")[0].rstrip(".")  # near knows better
        raise UserError(f"no environment {env_id!r}: {reason}{near(env_id)}") from error
    except (TypeError, ValueError, LookupError, ArithmeticError, OSError) as error:
        if not env_args:
            raise
        raise UserError(f"{env_id} does not take --env-arg: {_first_line(error)}") from error


def versioned(env_id: str) -> str:
    """The id itself, or that of the highest version where one is named without it."""
    from gymnasium.envs.registration import find_highest_version, get_env_id, parse_env_id

    if ":" in env_id or env_id in gymnasium.registry:
        return env_id
    try:
        namespace, name, version = parse_env_id(env_id)
    except gymnasium.error.Error:
        return env_id  # making it will tell what is wrong with it
    highest = find_highest_version(namespace, name) if version is None else None
    return env_id if highest is None else get_env_id(namespace, name, highest)


def batch_of(env: Any, worlds: int) -> Batch:
    """A batch from what a user hands over: an id, an environment, or a vectorised environment."""
    if isinstance(env, str):
        return make_batch(env, worlds, {})
    if isinstance(env, SyncVectorEnv):
        return GymBatch(env.envs, facts_of(env.envs[0], None, {}))
    if isinstance(env, VectorEnv):
        if env.metadata.get("autoreset_mode") != AutoresetMode.SAME_STEP:
            raise UserError(
                f"{type(env).__name__} resets in a step of its own, which would enter the batch as"
                " a false step: make it with autoreset_mode=AutoresetMode.SAME_STEP"
            )
        return GymVectorBatch(env, facts_of(env, None, {}))
    if isinstance(env, gymnasium.Env):
        return GymBatch([env], facts_of(env, None, {}))
    raise UserError(f"env is a {type(env).__name__}: hand over a Gymnasium environment or its id")


def near(env_id: str) -> str:
    """ "; did you mean …" with the ids closest to a mistyped one, or how to name one's own."""
    if ":" in env_id:
        return ""
    by_lower = {known.lower(): known for known in gymnasium.registry}
    close = difflib.get_close_matches(env_id.lower(), by_lower, n=3, cutoff=0.6)
    names = [by_lower[match] for match in close if by_lower[match] != env_id]
    if names:
        return f"; did you mean {', '.join(names)}?"
    return f"; one that a module of yours registers is MODULE:{env_id}"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
