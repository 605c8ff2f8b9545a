"""The command line of the agent: one flag for each setting, and where runs and presets come from."""

import argparse
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from agent.config import GROUPS, Config, Setting, config_of, settings
from agent.presets import TUNED, environments, preset
from runlog.errors import UserError

JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} ({self.prog} --help lists what there is)")


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="trpo-tui", description="The TRPO agent.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train",
        help="train a policy and log every debug metric",
        usage="trpo-tui train [--env ID] [--preset tuned] [--out RUN] [SETTING …]\n"
        "       trpo-tui train --resume RUN",
        description="Train a TRPO policy on a Gymnasium environment with continuous actions;"
        " every debug metric goes into the run's log.",
        epilog=f"Preset {TUNED} has settings for {', '.join(environments())}.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
        add_help=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
    )
    run = train.add_argument_group("the run")
    run.add_argument(
        "--out", metavar="RUN", type=_path, help="folder to write; default: a dated one in runs/"
    )
    run.add_argument(
        "--preset",
        metavar="NAME",
        help=f"settings for the environment: {TUNED} (see below) or a TOML file; flags win",
    )
    run.add_argument(
        "--resume",
        metavar="RUN",
        type=_path,
        nargs="?",
        help="go on from RUN's latest checkpoint",
    )
    run.add_argument(
        "--like",
        metavar="RUN",
        type=_path,
        help="repeat RUN: its settings, environment and seed; flags win",
    )
    run.add_argument("-h", "--help", action="help", help="this list")
    groups = {title: train.add_argument_group(title) for title in GROUPS.values()}
    groups[GROUPS["iterations"]].add_argument(
        "--steps",
        metavar="N",
        type=int,
        help="environment steps altogether, instead of --iterations: the last one is finished",
    )
    for setting in settings():
        _add(groups[setting.group], setting)
    return top


def _add(group: argparse._ArgumentGroup, setting: Setting) -> None:
    flag = "--" + setting.name.replace("_", "-")
    metavar = {int: "N", float: "X", str: "NAME"}.get(setting.kind)
    how: dict[str, Any] = {"metavar": metavar, "type": setting.kind}
    if setting.kind is Mapping:
        flag, how = "--env-arg", {"metavar": "NAME=VALUE", "action": "append"}
    elif setting.kind is bool:
        how = {"action": argparse.BooleanOptionalAction}
    elif setting.kind is tuple and setting.item is str:
        how = {"metavar": "NAME", "action": "append"}
    elif setting.kind is tuple:
        how = {"metavar": "N,N", "type": _integers}
    elif setting.name == "env":
        how["metavar"] = "ID"
    many = "; may be given again" if how.get("action") == "append" else ""
    shown = "" if many else f" [{_shown(setting.default)}]"
    meaning = f"{setting.meaning}{many}{shown}".replace("%", "%%")
    group.add_argument(flag, dest=setting.name, help=meaning, **how)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "empty"
    return str(value)


def text(arguments: Sequence[str]) -> Sequence[str]:
    """The arguments, if all of them can be written into a log. UserError otherwise."""
    for argument in arguments:
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError:
            raise UserError(f"{argument!r} is no UTF-8 text") from None
    return arguments


def _path(given: str) -> str:
    """A path that a file system could hold, whether there is something or not."""
    if not given:
        raise argparse.ArgumentTypeError("which folder?")
    try:
        Path(given).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return given
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise argparse.ArgumentTypeError(f"{given}: {reason}") from None
    return given


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: write whole numbers, such as 64,64") from None


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
            f"--resume {run}: this run has reached its end;"
            " --iterations N --out ANOTHER goes on with it in another folder"
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
