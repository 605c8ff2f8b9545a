"""Presets: settings by environment from a TOML file; the shipped one is called `tuned`.

A file holds settings at its top, which hold for every environment, and tables named like
environments, whose settings win over them. A file without tables is for any environment.
"""

import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from agent.config import config_of
from runlog.errors import UserError

TUNED = "tuned"


def preset(name: str, env: str | None = None) -> dict[str, Any]:
    """Settings of `tuned`, or of a TOML file, for an environment; None: the one the file names.

    UserError where there is no such file, where it is not TOML, where a setting is not one, and
    where it has tables but none for the environment.
    """
    where = f"--preset {name}"
    top, tables = _read(name, where)
    config_of(top, where)
    for table, values in tables.items():
        inside = f"{where}, table {table}"
        if "env" in values:
            raise UserError(f"{inside}: the table's name is its environment; leave out env")
        config_of(values, inside)
    env = env or top.get("env") or config_of({}, where).env
    if not tables:
        return top
    found = env if env in tables else _highest(env, tables)
    if found is None:
        raise UserError(f"{where}: no settings for {env}; it has {', '.join(tables)}")
    return top | tables[found]


def _highest(env: str, tables: Iterable[str]) -> str | None:
    """The table of the highest version of an environment named without one."""
    versions = [re.fullmatch(rf"{re.escape(env)}-v(\d+)", table) for table in tables]
    found = {int(match[1]): match[0] for match in versions if match}
    return found[max(found)] if found else None


def environments() -> tuple[str, ...]:
    """What the shipped preset has settings for."""
    return tuple(_read(TUNED, TUNED)[1])


def _read(name: str, where: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Top-level settings and tables by environment."""
    try:
        if name == TUNED:
            text = resources.files("agent").joinpath("presets.toml").read_text("utf-8")
        else:
            text = Path(name).read_text("utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError as error:
        raise UserError(f"{where}: no such file; {TUNED} is the preset that is shipped") from error
    except OSError as error:
        raise UserError(f"{where}: {error.strerror}") from error
    except ValueError as error:  # no TOML, no UTF-8, a path with a NUL
        raise UserError(f"{where}: {' '.join(str(error).split())}") from error
    tables = {
        key: value for key, value in values.items() if isinstance(value, dict) and key != "env_args"
    }
    return {key: value for key, value in values.items() if key not in tables}, tables
