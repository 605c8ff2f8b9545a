"""Folders of other trainers: which of their files is the log."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from runlog.importers.event_records import is_event_file
from runlog.importers.tensorboard import MARK

_BY_RANK = (
    "progress.csv",  # Stable-Baselines3, baselines, garage, OmniSafe, RLlib
    "progress.txt",  # Spinning Up
    "result.json",  # RLlib
    "progress.json",
    "log.csv",  # pat-coady
    "scores.txt",  # ChainerRL
)
_EPISODES = "*monitor.csv"
"""Monitor's files of single episodes, which say little: taken where there is nothing else."""

_LEVELS = 2
"""How far below a folder its trainings may lie: algorithm, environment, training."""


def foreign_log_in(folder: Path) -> Path | None:
    """The log a folder of another trainer holds: a file, or the folder itself where it holds event
    files; None where nothing in it is known by its name."""
    name = log_among(
        {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    )
    return None if name is None else folder / name


def foreign_logs_below(folder: Path) -> tuple[Path, ...]:
    """The folders below that hold logs of other trainers, in order of name, a few levels down."""
    found: list[Path] = []
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        try:
            below = sorted(path for path in place.iterdir() if path.is_dir())
        except OSError:
            continue  # closed to this user
        for path in below:
            if path.name.startswith("."):
                continue
            try:
                log = foreign_log_in(path)
            except OSError:
                continue
            if log is not None:
                found.append(path)
            elif depth < _LEVELS:
                waiting.append((path, depth + 1))
    return tuple(sorted(found))


def log_among(sizes: Mapping[str, int]) -> str | None:
    """The log among the files of a folder, given by name with their sizes; `.` is the folder."""
    for name in _BY_RANK:
        if sizes.get(name):
            return name
    if any(name.startswith(MARK) for name in sizes):
        return "."
    return next((name for name in sorted(sizes) if fnmatchcase(name, _EPISODES)), None)


def holds_events(path: Path) -> bool:
    """Whether a path is an event file of TensorBoard, or a folder that is read for those."""
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return is_event_file(file.read(12))
