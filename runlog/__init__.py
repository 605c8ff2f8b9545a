"""The run log: what a training writes and everybody reads, one row per iteration."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runlog.reader import open_run as open_run
    from runlog.writer import RunLog as RunLog

_LAZY = {"RunLog": "runlog.writer", "open_run": "runlog.reader"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'runlog' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
