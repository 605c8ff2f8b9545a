"""A run that has reached its end is gone on with in another folder, which begins as its copy."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent.checkpoint import FOLDER, stored
from runlog import RunLog, open_run
from runlog.run import ListColumn, Run

OF_THE_LOG = frozenset({"attempt"})
"""Filled in by the log that holds the copy."""
_PYTHON: dict[str, Callable[[Any], Any]] = {"int64": int, "bool": bool, "string": str}


def copy_run(source: Path, run: Path, log: RunLog, last: int) -> None:
    """Log the rows of `source` up to iteration `last` and copy its checkpoints up to there."""
    old = open_run(source)
    kept = int(np.searchsorted(old.column("iteration").values, last, side="right"))
    for row in rows(old.head(kept)):
        log.iteration(**row)
    (run / FOLDER).mkdir(exist_ok=True)
    for file in stored(source):
        if file.iteration <= last:
            shutil.copyfile(file.path, run / FOLDER / file.path.name)
    log.event("resumed", f"iterations 1 to {last} are those of {source}")


def rows(run: Run) -> Iterator[dict[str, Any]]:
    """Every row as it was logged, null cells left out."""
    columns = [
        (name, run.lists(name) if type_.startswith("list<") else run.column(name), type_)
        for name, type_ in run.types.items()
        if name not in OF_THE_LOG
    ]
    for i in range(len(run)):
        yield {
            name: _entries(column, i)
            if isinstance(column, ListColumn)
            else _PYTHON.get(type_, float)(column.values[i])
            for name, column, type_ in columns
            if column.present[i]
        }


def _entries(column: ListColumn, i: int) -> list[float | None]:
    """One list; an entry of it may be null."""
    present = column.entry_present[column.offsets[i] : column.offsets[i + 1]]
    return [
        float(value) if there else None for value, there in zip(column[i], present, strict=True)
    ]
