"""One training as a run on disk: rows, events, checkpoints, and an orderly end whatever comes."""

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from agent import checkpoint
from agent.config import Config
from agent.metadata import run_id
from agent.mujoco_warnings import MujocoWarnings
from agent.progress import Progress
from agent.reproduction import verdict
from agent.sampling import Interrupted
from agent.stop_signals import StopSignals
from agent.training import Training
from runlog import RunLog, open_run
from runlog.errors import UserError


def train(
    config: Config,
    place: Callable[[], Path],
    *,
    resume: bool,
    like: Path | None,
    command: str,
    prepare: Callable[[Training], None],
) -> int:
    """Train into the folder `place()` and return the exit code: 0, or 128 + signal when stopped.

    `place` is called once the environment is there; `prepare` with the training before its first
    iteration. An exception seals the log as crashed, leaves a checkpoint and goes on to the caller.
    At the end the run is compared with the run `like`.
    """
    warnings = MujocoWarnings()
    training = Training.from_config(config)
    warnings.new()  # what MuJoCo finds old-fashioned in Gymnasium's models is no news
    run = place()
    if resume:
        _go_on(training, run)
    prepare(training)
    with (
        closing(training.batch),
        StopSignals(training.interrupt) as signals,
        RunLog(run, run_id=run_id(config), command=command, **training.metadata) as log,
    ):
        progress = Progress(sys.stderr, config.iterations)
        progress.say(f"{'resuming' if resume else 'training'} {config.env} into {run}")
        if resume:
            log.event(
                "environments-reset",
                f"continued from the checkpoint of iteration {training.iteration};"
                " every environment starts a new episode",
            )
        run_to_end(training, log, run, progress, warnings, signals)
    if like is not None:
        progress.say(verdict(like, run))
    return signals.exit_code


def _go_on(training: Training, run: Path) -> None:
    """Restore the latest checkpoint; UserError, and an untouched run, where nothing is left to do."""
    before = open_run(run).metadata.get("env_id")
    if before is not None and before != training.batch.facts.env_id:
        raise UserError(
            f"--resume {run} is a run on {before}, not {training.batch.facts.env_id};"
            " leave out --env"
        )
    training.restore(checkpoint.latest(run))
    planned, done = training.config.iterations, training.iteration
    if planned <= done:
        raise UserError(
            f"--iterations {planned}: {done} are done already; give more than {done},"
            f" or end the run with trpo-tui finalize {run}"
        )


def run_to_end(
    training: Training,
    log: RunLog,
    run: Path,
    progress: Progress,
    warnings: MujocoWarnings,
    signals: StopSignals,
) -> None:
    """Iterate until the planned end or a signal. What is saved is the state between iterations."""
    every = training.config.checkpoint_every
    state = training.snapshot()
    _save(run, state, log)
    saved = training.iteration
    try:
        for row in training:
            log.iteration(**row)
            for text in warnings.new():
                log.event("warning", text)
            state = training.snapshot()
            if every and training.iteration % every == 0:
                _save(run, state, log)
                saved = training.iteration
            progress.show(row)
            if signals.received is not None:
                break
    except Interrupted:
        pass
    except BaseException:
        if saved != state["iteration"]:
            _save(run, state, log)
        raise
    if saved != state["iteration"]:
        _save(run, state, log)
    if signals.received is not None:
        reason = f"{signals.received.name} after iteration {state['iteration']}"
        log.stop(reason)
        progress.say(f"stopped: {reason}; go on with --resume {run}")


def _save(run: Path, state: dict[str, Any], log: RunLog) -> None:
    """Write a checkpoint; a full disk costs the checkpoint, never the training."""
    try:
        path = checkpoint.save(run, state)
    except OSError as error:
        log.event("warning", f"no checkpoint of iteration {state['iteration']}: {error}")
    else:
        place = path.relative_to(run).as_posix()
        log.event("checkpoint", f"iteration {state['iteration']}: {place}")
