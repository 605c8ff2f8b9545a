"""The command line of the agent: one flag for each setting, with its meaning, in groups."""

import argparse
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from agent.config import GROUPS, Setting, settings
from agent.presets import TUNED, environments
from runlog.errors import UserError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        unknown = re.fullmatch(r"unrecognized arguments: (--[^\s=]+).*", message)
        flags = list(self._option_string_actions)
        near = () if unknown is None else get_close_matches(unknown[1], flags, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UserError(f"{message} ({hint}{self.prog} --help lists what there is)")


def parser() -> Parser:
    """The command line of `train`."""
    train = Parser(
        prog="trpo-tui train",
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
    return train


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
