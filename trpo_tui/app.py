"""Starts the screen, or the plain lines where there can be none."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runlog.errors import UserError
from runlog.remote_address import is_remote

if TYPE_CHECKING:
    from trpo_tui.application import WatchApp
    from trpo_tui.judging import Source


def watch(
    source: str | Path,
    *,
    every: float = 30.0,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
    ignore: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> int:
    """Watch the run, log or folder of runs at `source` (`-`: standard input); returns the exit code.

    `mapping`: a log's key → our column. `from_format`: the log's format, None recognises it.
    `ignore`: code → the user's reason. `notes`: sentences to say beside what the run says.

    Without a terminal it speaks in lines, one at least every `every` seconds. Raises UserError
    where there is nothing to watch, before the screen starts.
    """
    from trpo_tui.plain import watch_plain
    from trpo_tui.terminal import keys_from_terminal, screen_possible

    path = str(source)
    check_source(path)
    plain = partial(
        watch_plain,
        path,
        every=every,
        mapping=mapping,
        from_format=from_format,
        ignore=ignore,
        notes=notes,
    )
    if not screen_possible():
        return plain()
    if path == "-":
        try:
            piped = keys_from_terminal()
        except UserError as error:
            print(f"trpo-tui: {error}; writing lines instead", file=sys.stderr)  # noqa: T201
            return plain()
        opener = partial(_piped, piped, mapping=mapping, from_format=from_format, notes=notes)
        return _run_screen("-", "standard input", opener, ignore, notes)
    opener = partial(_opened, mapping=mapping, from_format=from_format, notes=notes)
    return _run_screen(path, None, opener, ignore, notes)


def check_source(path: str) -> None:
    """One clear line when there is nothing at `path`."""
    if path != "-" and "://" not in path and not Path(path).exists():
        raise UserError(
            f"{path}: no such file or folder; give a run folder, a log, a folder of runs, or -"
        )


def prepare_textual() -> None:
    """Textual reads these when it is imported: no animation; few frames over SSH.

    An exported COLUMNS or LINES (readline exports them) would override the terminal's own size.
    """
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ.setdefault("TEXTUAL_FPS", "4" if os.environ.get("SSH_CONNECTION") else "120")


def _run_screen(
    path: str,
    name: str | None,
    opener: Callable[[str], "Source"],
    ignore: Mapping[str, str] | None,
    notes: tuple[str, ...],
) -> int:
    prepare_textual()
    # A remote place may ask for a password or a host key, on the page below.
    picked = pick(path) if is_remote(path) else None
    with first_words(name or Path(path).name or path):
        app = _made(path, name, opener, ignore, notes, picked)
    app.run(mouse=False)
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0


@contextmanager
def first_words(name: str) -> Iterator[None]:
    """The run's name on the screen at once, on the page the application then draws on: its
    libraries take longer to import than to draw. What goes wrong before is told on the page below.
    """
    from trpo_tui.terminal import environment_at_start, speaks_unicode
    from trpo_tui.themes import printable, to_ascii

    words = printable(f"{name}  opening")
    if not speaks_unicode(environment_at_start()):
        words = to_ascii(words)
    out = sys.__stderr__
    if out is not None:
        out.write(f"\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H{words}")
        out.flush()
    try:
        yield
    except BaseException:
        if out is not None:
            out.write("\x1b[?1049l\x1b[?25h")
            out.flush()
        raise


def _made(
    path: str,
    name: str | None,
    opener: Callable[[str], "Source"],
    ignore: Mapping[str, str] | None,
    notes: tuple[str, ...],
    picked: tuple[str | None, str | None] | None,
) -> "WatchApp":
    from trpo_tui.application import WatchApp
    from trpo_tui.judging import judge_run
    from trpo_tui.places import name_of
    from trpo_tui.settings_file import read_settings
    from trpo_tui.terminal import environment_at_start, keyboard_rivals, speaks_unicode
    from trpo_tui.themes import ASCII, UNICODE

    look = UNICODE if speaks_unicode(environment_at_start()) else ASCII
    folder = None
    opened: str | None = path
    if path != "-":
        opened, folder = picked or pick(path)
        if opened and (is_remote(opened) or Path(opened).is_dir()):
            name = name_of(opened)
    rivals = keyboard_rivals() if path == "-" else ()
    notice = f"{rivals[0]} takes some of your keys: start it as `{rivals[0]} -n`" if rivals else ""
    return WatchApp(
        opened,
        folder=folder,
        name=name or path,
        look=look,
        opener=opener,
        judging=partial(judge_run, ignore=ignore),
        notice=notice or "; ".join(notes),
        settings=read_settings(),
    )


def _opened(
    path: str,
    *,
    mapping: Mapping[str, str] | None,
    from_format: str | None,
    notes: tuple[str, ...],
) -> "Source":
    from trpo_tui.judging import Noted, open_source

    source = open_source(path, mapping=mapping, from_format=from_format)
    return Noted(source, notes) if notes else source


def _piped(
    descriptor: int,
    _path: str,
    *,
    mapping: Mapping[str, str] | None,
    from_format: str | None,
    notes: tuple[str, ...],
) -> "Source":
    from trpo_tui.judging import Noted, open_pipe

    source = open_pipe(descriptor, mapping=mapping, from_format=from_format)
    return Noted(source, notes) if notes else source


def pick(path: str) -> tuple[str | None, str | None]:
    """(path, None) for what can be opened, (run, None) for a folder with one run; (None, folder)
    where one must choose."""
    from trpo_tui.places import is_folder_of_runs, runs_below

    if not is_folder_of_runs(path):
        return path, None
    runs = runs_below(path)
    if len(runs) == 1:
        return runs[0], None
    return None, path
