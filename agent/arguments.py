"""What the flags mean together: the settings in force, the run to go on with, the folder to write."""

import argparse
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.config import Config, config_of, settings
from agent.presets import preset
from runlog.errors import UserError

JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")


def config_from(arguments: argparse.Namespace) -> Config:
    """Defaults < preset, or the run it goes on with or repeats < flags."""
    values: dict[str, Any] = {}
    if "preset" in arguments:
        for flag in ("resume", "like"):
            if flag in arguments:
                raise UserError(
                    f"--preset does not go with --{flag}, which takes the settings of its run;"
                    " give single flags"
                )
        values |= preset(arguments.preset, getattr(arguments, "env", None))
    for source in (resumed(arguments), getattr(arguments, "like", None)):
        if source is not None:
            values |= settings_of(Path(source))
    if "resume" in arguments:
        from agent.resume import settings_in_force

        values |= settings_in_force(Path(resumed(arguments) or ""))
    names = {setting.name for setting in settings()}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    if "env_args" in given:
        given["env_args"] = dict(values.get("env_args", {})) | env_args(given["env_args"])
    config = config_of(values | given, "")
    if "steps" not in arguments:
        return config
    if "iterations" in arguments:
        raise UserError("--steps and --iterations both say how long; give one of them")
    return replace(config, iterations=iterations_to(arguments.steps, config))


def iterations_to(steps: int, config: Config) -> int:
    """Iterations until that many environment steps are done, those of the warm-up among them."""
    if steps < 1:
        raise UserError(f"--steps {steps}: must be at least 1")
    worlds = config.environments
    batch = -(-config.steps_per_iteration // worlds) * worlds
    warm_up = -(-config.warm_up_steps // worlds) * worlds
    if not (config.normalise_observations or config.normalise_rewards):
        warm_up = 0
    return max(1, -(-(steps - warm_up) // batch))


def env_args(pairs: list[str]) -> dict[str, Any]:
    """name=value of each, the value as JSON if it parses and as text otherwise."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UserError(f"--env-arg {pair}: write NAME=VALUE")
        try:
            found[name] = json.loads(text)
        except (ValueError, RecursionError):
            found[name] = text
    return found


def settings_of(run: Path) -> dict[str, Any]:
    """The settings a stored run was made with."""
    from runlog import open_run

    config = open_run(run).metadata.get("config")
    if not isinstance(config, Mapping) or "env" not in config:
        raise UserError(f"{run}: this run does not say with which settings it was made")
    known = {s.name: config[s.name] for s in settings() if s.name in config}
    config_of(known, str(run))
    return known


def resumed(arguments: argparse.Namespace) -> str | None:
    """The run to go on with: --resume RUN, or --resume with --out RUN.

    One that has reached its end is left as it is: --out says where a copy of it goes on.
    """
    if "resume" not in arguments:
        return None
    run = arguments.resume or getattr(arguments, "out", "")
    if not run:
        raise UserError("--resume: which run? --resume RUN")
    elsewhere = "out" in arguments and Path(arguments.out) != Path(run)
    if not (Path(run) / "run.json").exists():
        raise UserError(f"--resume {run}: no run there; train one with --out {run}")
    if (Path(run) / "run.parquet").exists() and not elsewhere:
        raise UserError(
            f"--resume {run}: this run has reached its end, or was finalized;"
            " --out ANOTHER goes on with it in another folder, to --iterations N"
        )
    if elsewhere and not (Path(run) / "run.parquet").exists():
        raise UserError(f"--resume {run} writes there; leave out --out {arguments.out}")
    return str(run)


def run_folder(arguments: argparse.Namespace, config: Config) -> Path:
    """The folder to write: --resume's, --out, or a new dated one below runs/."""
    source = resumed(arguments)
    if source is not None and not (Path(source) / "run.parquet").exists():
        return Path(source)
    if "out" in arguments:
        out = Path(arguments.out)
        if (out / "run.json").exists() or (out / "run.parquet").exists():
            raise UserError(f"{out}: a run is there already; --resume {out} goes on with it")
        return out
    job = next((os.environ[name] for name in JOBS if os.environ.get(name)), str(os.getpid()))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", config.env)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    out = Path("runs") / f"{stamp}-{name}-{re.sub(r'[^A-Za-z0-9._-]+', '-', job)}"
    try:
        out.mkdir(parents=True)
    except FileExistsError as error:
        raise UserError(f"{out} is there already: choose a folder with --out") from error
    except OSError as error:
        raise UserError(f"{out}: {error.strerror}; choose a folder with --out") from error
    return out
