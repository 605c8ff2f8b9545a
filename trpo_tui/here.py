"""What lies in a folder: runs, tables and logs that trpo-tui can open, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import click

from runlog.errors import UserError
from runlog.folder import find_runs, is_run

__all__ = ["Found", "found_in", "is_run", "runs_below", "say_what_is_here"]

TEXTS = (".log", ".txt", ".out", ".csv", ".json", ".jsonl")
LOOKED_AT = 12
SHOWN = 6
LARGEST = 64 * 2**20
"""Bytes; a larger log is opened only when it is asked for by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that can be opened."""

    path: Path
    what: str
    iterations: int

    @property
    def line(self) -> str:
        plural = "" if self.iterations == 1 else "s"
        size = f"{self.iterations} iteration{plural}"
        return f"{self.path}: {self.what}, {size} → trpo-tui watch {quote(str(self.path))}"


def runs_below(folder: Path) -> tuple[Path, ...]:
    """All run folders at or below `folder`."""
    return find_runs(folder)


def found_in(folder: Path) -> Iterator[Found]:
    """What can be opened in `folder` and in its `runs/`, newest first."""
    places = [place for place in (folder, folder / "runs") if place.is_dir()]
    candidates = [
        path
        for place in places
        for path in place.iterdir()
        if is_run(path) or (_may_be_log(path) and path.is_file() and _small(path))
    ]
    if is_run(folder):
        candidates = [folder]
    candidates.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in candidates[:LOOKED_AT]:
        found = _look(path)
        if found is not None:
            yield found


def _may_be_log(path: Path) -> bool:
    return path.suffix in (*TEXTS, ".parquet", ".zip") or path.name.startswith(
        "events.out.tfevents."
    )


def _small(path: Path) -> bool:
    return 0 < path.stat().st_size <= LARGEST


def _look(path: Path) -> Found | None:
    from runlog.importers.meanings import FILES
    from runlog.reader import open_run

    try:
        run = open_run(path)
    except (UserError, OSError):
        return None
    if run.source is None and run.state.name != "finished":
        what = f"a run, {run.state.name}"
    elif run.source is None:
        what = "a run"
    else:
        kind = run.source.format
        what = kind if kind.endswith(FILES) else f"{kind} text"
    return Found(path=path, what=what, iterations=len(run))


def say_what_is_here() -> None:
    """Print what was found in the current folder."""
    found = list(found_in(Path()))
    if found:
        click.echo("\nFound here:")
    for thing in found[:SHOWN]:
        click.echo(f"  {thing.line}")
    if len(found) > SHOWN:
        click.echo(f"  … and {len(found) - SHOWN} more → trpo-tui watch")
