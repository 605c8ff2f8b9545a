"""`~/.config/trpo-tui/config.toml`: keys and theme of one's own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runlog.errors import UserError
from trpo_tui.actions import BY_NAME
from trpo_tui.themes import THEMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`keys`: action → its keys, as Textual names them. `theme`: empty where none is asked for."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    theme: str = ""


def settings_path() -> Path:
    """Where the file lies."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "trpo-tui" / "config.toml"


def read_settings(path: Path | None = None) -> Settings:
    """The file's settings, none where there is no file; raises UserError for what is not understood."""
    path = path or settings_path()
    if not path.is_file():
        return Settings()
    import tomllib

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    for key in found:
        if key not in ("keys", "theme"):
            raise UserError(f"{path}: {key}: unknown; there are keys and theme")
    return Settings(
        keys=_keys(path, found.get("keys", {})), theme=_theme(path, found.get("theme", ""))
    )


def _theme(path: Path, name: object) -> str:
    if name and name not in THEMES:
        raise UserError(f"{path}: theme {name!r}: unknown; there are {', '.join(THEMES)}")
    return str(name)


def _keys(path: Path, table: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        raise UserError(f'{path}: keys: write a table, such as [keys] and quit = "Q"')
    found: dict[str, tuple[str, ...]] = {}
    for name, given in table.items():
        if name not in BY_NAME:
            raise UserError(
                f"{path}: keys.{name}: no such action; there are {', '.join(sorted(BY_NAME))}"
            )
        keys = [given] if isinstance(given, str) else given
        if not isinstance(keys, list) or not all(isinstance(k, str) and k for k in keys):
            raise UserError(f'{path}: keys.{name}: write a key or a list of keys, such as "ctrl+x"')
        found[name] = tuple("comma" if key == "," else key for key in keys)
    if not found.get("quit", ("q",)):
        raise UserError(f"{path}: keys.quit: needs a key, else nothing leaves the screen")
    return found
