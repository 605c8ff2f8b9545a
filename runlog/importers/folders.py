"""Folders of other trainers: which of their files is the log."""

from pathlib import Path

from runlog.importers.event_records import is_event_file
from runlog.importers.tensorboard import event_files

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


def foreign_log_in(folder: Path) -> Path | None:
    """The log a folder of another trainer holds: a file, or the folder itself where it holds event
    files; None where nothing in it is known by its name."""
    for name in _BY_RANK:
        if _holds_something(folder / name):
            return folder / name
    if event_files(folder):
        return folder
    return next((path for path in sorted(folder.glob(_EPISODES)) if path.is_file()), None)


def _holds_something(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def holds_events(path: Path) -> bool:
    """Whether a path is an event file of TensorBoard, or a folder that is read for those."""
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return is_event_file(file.read(12))
