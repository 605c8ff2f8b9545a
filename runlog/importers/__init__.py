"""Foreign logs: the printed output of other trainers read as a Run."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from runlog.importers.follow import FollowedLog
from runlog.importers.meanings import NAMES
from runlog.importers.reading import Reading
from runlog.importers.suggestions import suggested_map
from runlog.run import Run

__all__ = ["NAMES", "FollowedLog", "follow_log", "read_log", "suggested_map"]


def read_log(
    data: bytes,
    *,
    name: str,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
    attempt: int | None = None,
    age: float | None = None,
) -> Run:
    """The run a foreign log describes.

    `name`: what to call the log in messages. `mapping`: their key → our column. `from_format`: one
    of NAMES; None recognises it by content. `attempt`: which of several runs in one log; None the
    newest. `age`: seconds since the log was written to, None when nobody knows; without it the run
    counts as finished. Raises UserError when the bytes are no log, or `mapping` names no column.
    """
    reading = Reading(name, mapping=mapping, from_format=from_format, attempt=attempt)
    reading.feed(data)
    reading.end()
    run = reading.run(age=age, ended=age is None)
    if run is None:
        raise reading.refusal()
    return run


def follow_log(
    source: Path | BinaryIO,
    *,
    mapping: Mapping[str, str] | None = None,
    from_format: str | None = None,
) -> FollowedLog:
    """A foreign log that still grows: a file, or a pipe nothing has been read from."""
    return FollowedLog(source, mapping=mapping, from_format=from_format)
