"""The run log: what a training writes and everybody reads, one row per iteration."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runlog.folder import find_runs as find_runs
    from runlog.folder import is_run as is_run
    from runlog.publish import finalize as finalize
    from runlog.reader import follow as follow
    from runlog.reader import open_run as open_run
    from runlog.tail import Tail as Tail
    from runlog.writer import RunLog as RunLog

_LAZY = {
    "RunLog": "runlog.writer",
    "Tail": "runlog.tail",
    "finalize": "runlog.publish",
    "find_runs": "runlog.folder",
    "follow": "runlog.reader",
    "is_run": "runlog.folder",
    "open_run": "runlog.reader",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'runlog' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
