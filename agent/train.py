"""One training as a run on disk: rows, events, checkpoints, and an orderly end whatever comes."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.config import Config
from agent.continuation import copy_run
from agent.keeper import Keeper
from agent.metadata import run_id
from agent.mujoco_warnings import MujocoWarnings
from agent.progress import Progress
from agent.reproduction import verdict
from agent.resume import beginning, go_on, state_of
from agent.sampling import Interrupted
from agent.stop_signals import StopSignals
from agent.training import Training
from runlog import RunLog


def train(
    config: Config,
    place: Callable[[], Path],
    *,
    resume: Path | None,
    like: Path | None,
    command: str,
    prepare: Callable[[Training], None],
) -> int:
    """Train into the folder `place()` and return the exit code: 0, or 128 + signal when stopped.

    `resume`: the run to go on with. One that has reached its end is copied to `place()` first.
    `place` is called once the environment is there; `prepare` with the training before its first
    iteration. An exception seals the log as crashed, leaves a checkpoint and goes on to the caller.
    At the end the run is compared with the run `like`.
    """
    found = None if resume is None else state_of(resume, config)
    warnings = MujocoWarnings()
    training = Training.from_config(config)
    warnings.new()  # what MuJoCo finds old-fashioned in Gymnasium's models is no news
    run = place()
    start = beginning(training) if found is None else go_on(training, found)
    prepare(training)
    with (
        _way_on(run),
        closing(training.batch),
        StopSignals(training.interrupt) as signals,
        RunLog(run, run_id=run_id(config), command=command, **training.metadata) as log,
        Progress(sys.stderr, config.iterations) as progress,
    ):
        doing = "training" if resume is None else "resuming"
        progress.say(f"{doing} {config.env} into {run}")
        if resume is not None and resume != run:
            copy_run(resume, run, log, training.iteration)
        for kind, text in start.events:
            log.event(kind, text)
            progress.say(text)
        keeper = Keeper(run, log, training, config, start.past)
        run_to_end(training, log, keeper, progress, warnings, signals)
        # A signal that comes with the last iteration stops nothing.
        by = signals.received if keeper.iteration < config.iterations else None
        reason = None if by is None else f"{by.name} after iteration {keeper.iteration}"
        if reason is not None:
            log.stop(reason)
    progress.end(run, reason)
    if like is not None:
        progress.say(verdict(like, run))
    return 0 if by is None else signals.exit_code


@contextmanager
def _way_on(run: Path) -> Iterator[None]:
    """Tell at the end of a traceback how to go on; the log is sealed by then."""
    try:
        yield
    except Exception as error:
        error.add_note(f"go on with trpo-tui train --resume {shlex.quote(str(run))}")
        raise


def run_to_end(
    training: Training,
    log: RunLog,
    keeper: Keeper,
    progress: Progress,
    warnings: MujocoWarnings,
    signals: StopSignals,
) -> None:
    """Iterate until the planned end or a signal. What is saved is the state between iterations."""
    try:
        for row in training:
            log.iteration(**row)
            for text in warnings.new():
                log.event("warning", text)
            keeper.after(row)
            progress.show(row)
            if signals.received is not None:
                break
    except Interrupted:
        pass
    except BaseException as error:
        error.add_note(f"in iteration {keeper.iteration + 1}")
        keeper.save()
        raise
    keeper.save()
