"""The policy of a run as it was after one of its iterations, with the normaliser it was frozen with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent import checkpoint
from agent.arguments import settings_of
from agent.config import Config, config_of, settings
from agent.envs.batch import Array, Facts
from agent.envs.gym import versioned
from agent.networks import Actor
from agent.normaliser import Normaliser
from agent.sampling import normalised
from agent.training import Training
from runlog.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A policy that has been trained for `iteration` iterations of the run that `config` describes."""

    config: Config
    iteration: int
    facts: Facts
    normaliser: Normaliser | None
    actor: Actor

    def act(self, observation: Array) -> NDArray[np.float32]:
        """The mean action, within the bounds: (observation_dim,) raw → (action_dim,)."""
        seen = normalised(np.asarray(observation, dtype=np.float64)[None], self.normaliser)
        action: NDArray[np.float32] = np.clip(
            self.actor(seen)[0][0], self.facts.action_low, self.facts.action_high
        )
        return action


def trained(run: Path, iteration: int | None = None) -> Trained:
    """The policy of a run's checkpoint: the newest that can be read, or that after an iteration.

    UserError where there is no such checkpoint, or none that this agent can read.
    """
    if not (run / "run.json").exists():
        raise UserError(f"{run}: no run there")
    files = checkpoint.stored(run)
    if not files:
        raise UserError(f"{run}: no checkpoint to take a policy from")
    snapshot = checkpoint.latest(run)[0] if iteration is None else _after(files, iteration)
    known = {setting.name for setting in settings()}
    before = snapshot.get("config") or {}
    values: dict[str, Any] = settings_of(run)
    values |= {name: value for name, value in before.items() if name in known}
    # Nothing is trained: one world will do, on the processor that every machine has, and no fault.
    values |= {"environments": 1, "device": "cpu", "fault": ()}
    config = config_of(values | {"env": versioned(values["env"])}, str(run))
    training = Training.from_config(config)
    training.restore(snapshot | {"environments": None, "reward_normaliser": None})
    training.batch.close()
    return Trained(
        config=config,
        iteration=training.iteration,
        facts=training.batch.facts,
        normaliser=training.normaliser,
        actor=training.policy.actor(),
    )


def _after(files: Sequence[checkpoint.Stored], iteration: int) -> dict[str, Any]:
    """The snapshot after that iteration. UserError names those there are."""
    for file in files:
        if file.iteration == iteration:
            return checkpoint.load(file.path)
    there = ", ".join(str(number) for number in sorted({file.iteration for file in files}))
    run = files[0].path.parent.parent
    raise UserError(f"{run}: no checkpoint of iteration {iteration}; there are those of {there}")
