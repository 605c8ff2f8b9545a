"""Going on with a run: which state it goes on from, and what must not change meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import checkpoint
from agent.config import Config, settings
from agent.snapshot import live
from agent.suspicion import Past, half_range
from agent.training import Training
from runlog import open_run
from runlog.errors import UserError
from runlog.folder import PUBLISHED

FROM_THE_START = (
    "env",
    "seed",
    "environments",
    "hidden",
    "vf_hidden",
    "log_std",
    "learn_std",
    "normalise_observations",
    "normalise_rewards",
    "warm_up_steps",
)
"""Settings that made what a run is, or what its checkpoints hold; the others may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a training begins with: what was suspicious before, and events for the log."""

    past: Past
    events: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A state to go on from; `unreadable`: a line for each newer one that is damaged."""

    snapshot: dict[str, Any]
    unreadable: tuple[str, ...]


def beginning(training: Training) -> Start:
    """The start of a new run."""
    facts = training.batch.facts
    return Start(past=Past(half_range=half_range(facts.action_low, facts.action_high)))


def settings_in_force(run: Path) -> dict[str, Any]:
    """The settings of the state a run goes on from: changed ones of an earlier resume stay."""
    config: dict[str, Any] = checkpoint.latest(run)[0].get("config", {})
    known = {setting.name for setting in settings()}
    return {name: value for name, value in config.items() if name in known}


def state_of(run: Path, config: Config) -> Found:
    """The newest state that can be read.

    UserError, and an untouched run, where nothing is left to do or a setting cannot change.
    """
    snapshot, unreadable = checkpoint.latest(run)
    before = snapshot.get("config") or open_run(run).metadata.get("config") or {}
    _require_same(config, before, run)
    planned, done = config.iterations, int(snapshot["iteration"])
    if planned <= done:
        raise UserError(
            f"--iterations {planned}: {done} are done already; give more than {done}"
            + ("" if (run / PUBLISHED).exists() else f", or end it with trpo-tui finalize {run}")
        )
    return Found(snapshot=snapshot, unreadable=unreadable)


def go_on(training: Training, found: Found) -> Start:
    """Restore a state, and tell what was not as it should be."""
    reset = training.restore(found.snapshot)
    done = training.iteration
    events = [
        ("checkpoint-unreadable", f"{text}: went on from iteration {done}")
        for text in found.unreadable
    ]
    if reset is not None:
        events.append(
            (
                "environments-reset",
                f"continued from the checkpoint of iteration {done}; {reset}:"
                " every environment starts a new episode",
            )
        )
    past = found.snapshot.get("past")
    return Start(
        past=beginning(training).past if past is None else Past(**live(past)),
        events=tuple(events),
    )


def _require_same(config: Config, before: Mapping[str, Any], run: Path) -> None:
    now = config.as_dict()
    for name in FROM_THE_START:
        if name in before and before[name] != now[name]:
            was, given = as_given(name, before[name]), as_given(name, now[name])
            what = "a run on " + str(before[name]) if name == "env" else "one with " + was
            raise UserError(
                f"--resume {run} is {what}: leave out {given}, or train anew into another folder"
            )


def as_given(name: str, value: Any) -> str:
    """A setting as a user writes it on the command line."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {','.join(map(str, value)) if isinstance(value, list) else value}"
