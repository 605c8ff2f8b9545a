"""A command of the user's own for news of a run: an argument list, never a shell's line."""

import os
import shlex
import subprocess
from collections.abc import Sequence

from runlog.errors import UserError
from trpo_tui.entries import Entry

SECONDS = 30.0
"""How long the command may take."""
NAMES = ("run", "path", "state", "code", "text")
"""What the command's words may hold in braces, and its environment as TRPO_TUI_RUN and so on."""


def command_of(line: str) -> tuple[str, ...]:
    """The words of a command as a shell would part them; UserError where it cannot."""
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UserError(f"--notify-cmd: {error}: {line}") from None
    if not words:
        raise UserError("--notify-cmd: names no program")
    return words


def notify(command: Sequence[str], entry: Entry, text: str) -> str:
    """Run the command with the news in it; what went wrong, empty where nothing did.

    Each word is one argument whatever it holds: a run's name cannot become a second command.
    """
    state = entry.state.name if entry.state is not None else "unreadable"
    told = dict(zip(NAMES, (entry.name, entry.path, state, entry.code, text), strict=True))
    words = [_filled(word, told) for word in command]
    told_by_environment = {f"TRPO_TUI_{name.upper()}": value for name, value in told.items()}
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **told_by_environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{words[0]} took more than {SECONDS:g} s"
    except (OSError, ValueError) as error:
        return f"{words[0]} cannot be run ({error})"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return f"{words[0]} ended with {done.returncode}{f': {said[-1]}' if said else ''}"
    return ""


def _filled(word: str, told: dict[str, str]) -> str:
    for name, value in told.items():
        word = word.replace(f"{{{name}}}", value.replace("\0", ""))
    return word
