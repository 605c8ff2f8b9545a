"""trpo-tui: why does my TRPO policy not update?"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runlog.reader import open_run as open_run
    from runlog.writer import RunLog as RunLog

__version__ = "0.1.0"
_LAZY = ("RunLog", "open_run")


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'trpo_tui' has no attribute {name!r}")
    import runlog

    return getattr(runlog, name)
