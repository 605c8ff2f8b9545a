"""MuJoCo tasks, Gymnasium's and DPEnv, on MuJoCo's own batches: many worlds in C, in threads.

What comes out equals the single environment's to the last bit, whatever the number of threads.
"""

import inspect
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from agent.envs.batch import (
    NEVER,
    Array,
    BatchStep,
    Facts,
    State,
    first_limits,
    generator_text,
    set_generator,
    world_seeds,
)
from agent.envs.dp_env import DPEnv
from agent.envs.mujoco_task import ALL, Origin, Task
from agent.envs.mujoco_tasks import TASKS
from agent.envs.reference import HORIZON
from agent.envs.world_state import KNOWN, require_worlds, wrappers


class MujocoBatch:
    """Worlds of one of `TASKS`, each reset as soon as its episode ends."""

    def __init__(self, model: Any, task: Task, frame_skip: int, worlds: int, facts: Facts) -> None:
        from mujoco import MjData, mj_rnePostConstraint, mjtStage
        from mujoco.batch import Batch, SimulationError

        self._task, self._facts, self._worlds, self._skip = task, facts, worlds, frame_skip
        self._dt = frame_skip * model.opt.timestep
        # Contact forces are worked out on what a step left in a world's own MjData, and from there
        # the next step goes on where fields were brought up to date.
        persistent = task.contact_forces or task.up_to_date
        self._physics = Batch(model, worlds, threads(worlds), persistent=persistent)
        self._nothing = mjtStage.mjSTAGE_NONE.value
        self._after = (mjtStage.mjSTAGE_VEL if task.up_to_date else mjtStage.mjSTAGE_NONE).value
        self._now = {
            name: self._physics.bind(name)
            for name in ("qpos", "qvel", "time", "ctrl", *task.derived)
        }
        if task.contact_forces:
            self._now["cfrc_ext"] = np.zeros((worlds, model.nbody, 6))
        self._data, self._post = MjData(model), mj_rnePostConstraint
        self._error = SimulationError
        self._limit = first_limits(worlds, facts.horizon)
        self._age = np.zeros(worlds, dtype=np.int64)
        self._generators = [np_random(0)[0] for _ in range(worlds)]
        self._observation = np.zeros((worlds, facts.observation_dim))
        self._place = task.place(self._now, ALL)

    @property
    def worlds(self) -> int:
        return self._worlds

    @property
    def facts(self) -> Facts:
        return self._facts

    def reset(self, seed: int) -> Array:
        self._generators = [np_random(each)[0] for each in world_seeds(seed, self._worlds)]
        self._limit = first_limits(self._worlds, self._facts.horizon)
        self._observation = np.empty_like(self._observation)
        self._start(np.arange(self._worlds))
        return self._observation

    def step(self, action: NDArray[np.float32]) -> BatchStep:
        task, now = self._task, self._now
        now["ctrl"][:] = task.control(now, action)
        self._run(lambda: self._physics.step(nstep=self._skip, stage=self._after))
        if task.contact_forces:
            self._feel(range(self._worlds), fresh=True)
        place = task.place(now, ALL)
        pay = task.pay(now, (place - self._place) / self._dt, action)
        self._place, self._observation = place, task.observe(now, ALL)
        pay = task.disturbed(pay, self._generators)
        self._age += 1
        truncated = (self._age >= self._limit) & ~pay.terminated
        ended = np.flatnonzero(pay.terminated | truncated)
        final: dict[int, Array] = {}
        staggered: list[int] = []
        if len(ended):
            final = {int(i): self._observation[i].copy() for i in ended}
            horizon = self._facts.horizon or NEVER
            staggered = [int(i) for i in ended if truncated[i] and self._limit[i] < horizon]
            self._limit[ended] = horizon
            self._start(ended)
        return BatchStep(
            observation=self._observation,
            reward=pay.reward,
            terminated=pay.terminated,
            truncated=truncated,
            final_observation=final,
            reward_terms={name: np.asarray(term, np.float64) for name, term in pay.terms.items()},
            staggered=staggered,
        )

    def _start(self, rows: NDArray[np.int64]) -> None:
        """Begin an episode in these worlds."""
        drawn = [self._task.draw(self._generators[i]) for i in rows]
        self._run(lambda: self._physics.reset(rows, stage=self._nothing))
        self._now["qpos"][rows] = [start.qpos for start in drawn]
        self._now["qvel"][rows] = [start.qvel for start in drawn]
        self._now["time"][rows] = [start.time for start in drawn]
        self._run(lambda: self._physics.forward(rows))
        if self._task.contact_forces:
            self._feel(rows, fresh=False)
        self._age[rows] = 0
        self._observation[rows] = self._task.observe(self._now, rows)
        self._place[rows] = self._task.place(self._now, rows)

    def _feel(self, rows: Any, *, fresh: bool) -> None:
        """Look up the contact forces; `fresh`: after working them out, as Gymnasium's steps do."""
        physics, data, forces = self._physics, self._data, self._now["cfrc_ext"]
        for i in rows:
            physics.get_data(i, data)
            if fresh:
                self._post(physics.model, data)
            forces[i] = data.cfrc_ext

    def _run(self, call: Any) -> None:
        try:
            call()
        except self._error as error:
            failed = ", ".join(str(i) for i in error.ids)
            error.add_note(f"raised by environment {failed} of {self._worlds}")
            raise

    def state(self) -> State:
        return {
            "physics": self._physics.state.copy(),
            "place": self._place.copy(),
            "age": self._age.copy(),
            "limit": self._limit.copy(),
            "observation": self._observation.copy(),
            "generators": [generator_text(generator) for generator in self._generators],
        }

    def restore(self, state: State) -> Array:
        require_worlds(len(state["age"]), self._worlds)
        self._run(lambda: self._physics.reset(stage=self._nothing))
        self._physics.state[:] = state["physics"]
        for generator, text in zip(self._generators, state["generators"], strict=True):
            set_generator(generator, text)
        self._place, self._observation = state["place"].copy(), state["observation"].copy()
        self._age, self._limit = state["age"].copy(), state["limit"].copy()
        return self._observation

    def close(self) -> None:
        """Nothing is held open."""


def mujoco_batch(
    environment: gymnasium.Env[Any, Any], worlds: int, facts: Facts
) -> MujocoBatch | None:
    """`worlds` like an environment just made; None if it is neither one of `TASKS` as Gymnasium has
    it nor a DPEnv. The environment is closed if its model was taken over.
    """
    inner: Any = environment.unwrapped
    limits = [wrapper for wrapper in wrappers(environment) if isinstance(wrapper, TimeLimit)]
    if (
        find_spec("mujoco.batch") is None
        or environment.spec is None
        or getattr(inner, "render_mode", None) is not None
        or any(type(wrapper) not in KNOWN for wrapper in wrappers(environment))
        or len(limits) != (facts.horizon is not None)
    ):
        return None
    task: Task | None
    if type(inner) is DPEnv:
        task = inner.task
        # It truncates by itself too, whatever limit it was registered or made with.
        facts = replace(facts, horizon=min(facts.horizon or HORIZON, HORIZON))
    else:
        task = _gymnasium_task(inner, environment.spec.kwargs)
    if task is None:
        return None
    batch = MujocoBatch(inner.model, task, inner.frame_skip, worlds, facts)
    environment.close()
    return batch


def _gymnasium_task(inner: Any, arguments: Mapping[str, Any]) -> Task | None:
    """The task of an environment of Gymnasium's made with its own model."""
    kind = type(inner)
    task = TASKS.get(f"{kind.__module__}:{kind.__qualname__}")
    if task is None:
        return None
    signature = inspect.signature(kind)
    bound = signature.bind(**{k: v for k, v in arguments.items() if v is not None})
    bound.apply_defaults()
    if bound.arguments["xml_file"] != signature.parameters["xml_file"].default:
        return None
    return task(
        Origin(
            qpos=inner.init_qpos,
            qvel=inner.init_qvel,
            settings=bound.arguments,
            body_mass=inner.model.body_mass,
            body_id=lambda body: inner.model.body(body).id,
        )
    )


def threads(worlds: int) -> int:
    """Threads to step with: the processors this process may use, each with two worlds at least."""
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:
        processors = os.cpu_count() or 1
    return max(1, min(processors, worlds // 2))
