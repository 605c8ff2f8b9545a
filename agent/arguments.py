"""The command line of the agent: one flag for each setting, and where runs and presets come from."""

import argparse
import json
import os
import re
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from agent.config import Config, Setting, config_of, settings
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
        description="Train a TRPO policy on a Gymnasium environment with continuous actions;"
        " every debug metric goes into the run's log.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    train.add_argument(
        "--out", metavar="RUN", help="folder to write; default: a dated one in runs/"
    )
    train.add_argument(
        "--resume", metavar="RUN", nargs="?", const="", help="go on from RUN's latest checkpoint"
    )
    train.add_argument("--like", metavar="RUN", help="the settings, environment and seed of RUN")
    train.add_argument("--preset", metavar="FILE", help="settings from a TOML file; flags win")
    for setting in settings():
        _add(train, setting)
    return top


def _add(parser: argparse.ArgumentParser, setting: Setting) -> None:
    flag = "--" + setting.name.replace("_", "-")
    meaning = f"{setting.meaning} (default: {_shown(setting.default)})".replace("%", "%%")
    if setting.kind is Mapping:
        parser.add_argument(
            "--env-arg", dest=setting.name, metavar="NAME=VALUE", action="append", help=meaning
        )
    elif setting.kind is bool:
        parser.add_argument(
            flag, dest=setting.name, action=argparse.BooleanOptionalAction, help=meaning
        )
    elif setting.kind is tuple and setting.item is str:
        parser.add_argument(flag, dest=setting.name, metavar="NAME", action="append", help=meaning)
    elif setting.kind is tuple:
        parser.add_argument(flag, dest=setting.name, metavar="N,N", type=_integers, help=meaning)
    else:
        parser.add_argument(
            flag,
            dest=setting.name,
            metavar="ID" if setting.name == "env" else setting.kind.__name__.upper(),
            type=setting.kind,
            help=meaning,
        )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return "none"
    return str(value)


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: write whole numbers, such as 64,64") from None


def config_from(arguments: argparse.Namespace) -> Config:
    """Defaults < preset < the run it goes on with or repeats < flags."""
    values: dict[str, Any] = {}
    if "preset" in arguments:
        values |= preset(Path(arguments.preset))
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
    return config_of(values | given, "the command line")


def env_args(pairs: list[str]) -> dict[str, Any]:
    """name=value of each, the value as JSON if it parses and as text otherwise."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UserError(f"--env-arg {pair}: write NAME=VALUE")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def preset(path: Path) -> dict[str, Any]:
    """Settings of a TOML file. UserError names the file and what is wrong with it."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"--preset {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"--preset {path}: {error}") from error
    config_of(values, f"--preset {path}")
    return values


def settings_of(run: Path) -> dict[str, Any]:
    """The settings a stored run was made with."""
    from runlog import open_run

    config = open_run(run).metadata.get("config")
    if not isinstance(config, Mapping) or "env" not in config:
        raise UserError(f"{run}: this run does not say with which settings it was made")
    return {setting.name: config[setting.name] for setting in settings() if setting.name in config}


def resumed(arguments: argparse.Namespace) -> str | None:
    """The run to go on with: --resume RUN, or --resume with --out RUN."""
    if "resume" not in arguments:
        return None
    run: str = arguments.resume or getattr(arguments, "out", "")
    if not run:
        raise UserError("--resume: which run? --resume RUN")
    if "out" in arguments and Path(arguments.out) != Path(run):
        raise UserError(f"--resume {run} writes there; leave out --out {arguments.out}")
    if not (Path(run) / "run.json").exists():
        raise UserError(f"--resume {run}: no run there; train one with --out {run}")
    if (Path(run) / "run.parquet").exists():
        raise UserError(f"--resume {run}: this run has reached its end")
    return run


def run_folder(arguments: argparse.Namespace, config: Config) -> Path:
    """The folder to write: --resume's, --out, or a new dated one below runs/."""
    source = resumed(arguments)
    if source is not None:
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
