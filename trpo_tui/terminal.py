"""What this terminal can do: a screen at all, Unicode, a clipboard."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runlog.errors import UserError

_SSH_FLAGS = re.compile("[^BbcDEeFIiJLlmOopQRSWw]*")
OSC52_LIMIT = 74_994
"""Bytes of text that terminals accept in one OSC 52 sequence."""


def screen_possible() -> bool:
    """Whether a screen can be drawn on standard output and keys can be read from somewhere."""
    if os.environ.get("TERM", "") in ("dumb", "") and os.name != "nt":
        return False
    streams = (sys.__stdout__, sys.__stderr__)  # Textual draws on the second
    return all(stream is not None and stream.isatty() for stream in streams)


def environment_at_start() -> Mapping[str, str]:
    """The environment this process was given.

    In the C locale Python sets LC_CTYPE to C.UTF-8 for itself, so os.environ no longer tells
    what the terminal was set up for; /proc does.
    """
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:
        return os.environ
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if entry)
    return {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs}


def speaks_unicode(environment: Mapping[str, str]) -> bool:
    """Whether the locale is a UTF-8 one: the first of LC_ALL, LC_CTYPE, LANG that is set decides."""
    if os.name == "nt":
        return True
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environment.get(name, "")
        if value:
            return "utf-8" in value.lower() or "utf8" in value.lower()
    return False


def keys_from_terminal() -> int:
    """Put the terminal on standard input; returns a new descriptor of what was there before.

    Log text comes on standard input, keys do not: Textual reads descriptor 0.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise UserError(f"/dev/tty cannot be opened for keys ({error.strerror})") from None
    piped = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="replace", closefd=False)
    sys.__stdin__ = sys.stdin  # type: ignore[misc]  # Textual asks this one for its descriptor
    return piped


def keyboard_rivals() -> tuple[str, ...]:
    """Names of other programs of this pipe that read the same terminal, and so steal keys.

    `ssh box tail -F train.log | trpo-tui watch -` is one: ssh sends what is typed to the other
    host unless it was started with -n. Known on Linux only; elsewhere nothing is found.
    """
    try:
        terminal = os.ttyname(2)  # the screen's; 0 may be /dev/tty by now
        ours, group = os.getpid(), os.getpgrp()
        processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return ()
    rivals: list[str] = []
    for pid in processes:
        with contextlib.suppress(OSError):
            in_pipe = pid != ours and os.getpgid(pid) == group
            if in_pipe and str(Path(f"/proc/{pid}/fd/0").readlink()) == terminal:
                # A shell, the trainer or tail does not read its keyboard; ssh does, but for -n,
                # which it only heeds once it is logged in.
                name, *arguments = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split(
                    "\0"
                )
                if Path(name).name == "ssh" and not leaves_keyboard(arguments):
                    rivals.append("ssh")
    return tuple(rivals)


def leaves_keyboard(ssh_arguments: Sequence[str]) -> bool:
    """Whether ssh was told -n or -f; what follows the host is the other side's command."""
    waiting = False
    for argument in ssh_arguments:
        if waiting:
            waiting = False
        elif not argument.startswith("-"):
            return False
        else:
            flags = _SSH_FLAGS.match(argument, 1)[0]  # type: ignore[index]  # matches any text
            if "n" in flags or "f" in flags:
                return True
            # An option with a value ends the flags; the value may be the next argument.
            waiting = len(argument) == len(flags) + 2
    return False


def state_folder() -> Path:
    """Where files go that have no better place."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "trpo-tui"


def clip(text: str, *, folder: Path, name: str, osc52: Callable[[str], None]) -> str:
    """Put the text on the clipboard as well as this terminal allows, and into a file; says where."""
    written = _write(text, folder, name)
    where = next((said for command, said in _programs() if _fed(command, text)), None)
    if where is None and len(text.encode()) <= OSC52_LIMIT:
        osc52(text)
        where = "sent to the terminal's clipboard (OSC 52)"
    parts = [where or "no clipboard found", f"written to {written}" if written else "no file"]
    return "; ".join(parts)


def _write(text: str, folder: Path, name: str) -> Path | None:
    for place in (folder if folder.is_dir() else folder.parent, state_folder()):
        with contextlib.suppress(OSError):
            if place == state_folder():
                place.mkdir(parents=True, exist_ok=True)
            path = place / name
            path.write_text(text, encoding="utf-8")
            return path
    return None


def _fed(command: list[str], text: str) -> bool:
    """Whether the program took the text."""
    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            timeout=3,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _programs() -> list[tuple[list[str], str]]:
    """Clipboard programs that reach the clipboard of whoever looks, and what to say of each.

    Inside tmux OSC 52 is dropped by default; its own buffer always works. Over SSH a program of the
    desktop would be the wrong machine's.
    """
    found: list[tuple[list[str], str]] = []
    if os.environ.get("TMUX"):
        found.append((["tmux", "load-buffer", "-w", "-"], "copied (tmux: prefix ] pastes)"))
        found.append((["tmux", "load-buffer", "-"], "in the tmux buffer (prefix ] pastes)"))
    if not os.environ.get("SSH_CONNECTION"):
        desktop = [["pbcopy"], ["clip.exe"]]
        if os.environ.get("WAYLAND_DISPLAY"):
            desktop.append(["wl-copy"])
        if os.environ.get("DISPLAY"):
            desktop.append(["xclip", "-selection", "clipboard"])
        found += [(command, f"copied ({command[0]})") for command in desktop]
    return [(command, said) for command, said in found if shutil.which(command[0])]


def way_to_clipboard() -> str:
    """How a copy would go from here."""
    programs = _programs()
    return programs[0][0][0] if programs else "OSC 52, if the terminal allows it"
