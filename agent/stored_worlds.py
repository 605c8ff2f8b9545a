"""The worlds of a batch and the episodes that go on in them, as a snapshot holds them."""

import json
from typing import Any

from agent.envs.batch import Batch, Facts
from agent.sampling import Running
from agent.snapshot import live, plain


def store(batch: Batch, running: Running | None) -> dict[str, Any] | None:
    """Tensors, numbers and text; None before the first reset.

    UserError where an environment hands over something else as its state.
    """
    if running is None:
        return None
    return {
        "made": _made(batch.facts),
        "state": plain(batch.state(), "the environment's state"),
        "running": plain(running, "running"),
    }


def restore(batch: Batch, stored: dict[str, Any] | None) -> Running | str:
    """The episodes that go on, or why every world has to start a new one."""
    if stored is None:
        return "the checkpoint does not hold their state"
    if stored["state"] is None:
        return "they cannot hand over their state"
    if stored["made"] != _made(batch.facts):
        return "they are made with other arguments"
    batch.restore(live(stored["state"]))
    return Running(**live(stored["running"]))


def _made(facts: Facts) -> str:
    """With what the worlds were made, as text: a state of others would not fit."""
    made = [facts.env_id, dict(facts.env_args)]
    return json.dumps(made, sort_keys=True, default=lambda value: type(value).__qualname__)
