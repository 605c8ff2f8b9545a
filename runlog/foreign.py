"""A Parquet file by itself: a published run, or what another program wrote with some columns."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from runlog.assemble import assemble, published_run
from runlog.chunk import ParquetChunk
from runlog.column import Column, ListColumn
from runlog.errors import UserError
from runlog.folder import PUBLISHED, RUN_JSON
from runlog.parts import not_readable
from runlog.run import ImportInfo, Run
from runlog.schema import BY_NAME, Type

# Arrow can abort the process on a damaged file, so another process reads all of it first.
_TRIAL = """
import sys
import pyarrow as pa
import pyarrow.parquet as pq
try:
    source = sys.argv[1] if sys.argv[1:] else pa.BufferReader(sys.stdin.buffer.read())
    with pq.ParquetFile(source, page_checksum_verification=True) as file:
        for i in range(file.num_row_groups):
            file.read_row_group(i)
except Exception as error:
    sys.exit((str(error).strip() or type(error).__name__).splitlines()[0])
"""


def open_parquet_run(
    path: Path,
    *,
    attempt: int | None = None,
    mapping: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Run:
    """The run in one Parquet file, or in `data` that lies in the file `path`.

    Raises UserError where it cannot be one.
    """
    ours = path.name == PUBLISHED and (path.parent / RUN_JSON).is_file()
    if not ours:
        _try_in_child(path, data)
    chunk = ParquetChunk(path, names=mapping, data=data)
    twice = next((name for name, times in Counter(chunk.names_in_file).items() if times > 1), None)
    if twice is not None:
        raise UserError(f"{path}: column {twice} is there twice; rename or drop one of them")
    if chunk.footer is not None:
        return published_run(chunk, attempt=attempt)
    _require_columns(path, chunk)
    understood = tuple(name for name in chunk.types if name in BY_NAME)
    others = tuple(name for name in chunk.theirs if name not in BY_NAME)
    numbered = "iteration" in chunk.types
    run = assemble(
        (chunk if numbered else NumberedChunk(chunk),),
        metadata={},
        attempt=attempt,
        notes=tuple(_notes(chunk, numbered=numbered)),
    )
    info = ImportInfo(
        format="parquet", attempts=run.attempts, understood=understood, not_understood=others
    )
    return Run(
        chunks=run.chunks,
        state=run.state,
        selection=run.selection,
        attempts=run.attempts,
        attempt=run.attempt,
        source=info,
        notes=run.notes,
    )


@dataclass(frozen=True, eq=False)
class NumberedChunk:
    """A chunk without iteration numbers: its rows are counted from 1."""

    inner: ParquetChunk

    @property
    def rows(self) -> int:
        return self.inner.rows

    @cached_property
    def types(self) -> Mapping[str, Type]:
        return {"iteration": "int64", **self.inner.types}

    def column(self, name: str) -> Column:
        if name != "iteration":
            return self.inner.column(name)
        return Column(np.arange(1.0, self.rows + 1), np.ones(self.rows, dtype=bool))

    def lists(self, name: str) -> ListColumn:
        return self.inner.lists(name)


def _try_in_child(path: Path, data: bytes | None) -> None:
    # -P: a pyarrow.py beside the user's log must not be taken for the library.
    command = [sys.executable, "-P", "-c", _TRIAL, *([str(path)] if data is None else [])]
    trial = subprocess.run(command, input=data or b"", capture_output=True, check=False)
    if trial.returncode < 0:
        raise not_readable(path, f"reading it crashes, signal {-trial.returncode}")
    if trial.returncode != 0:
        raise not_readable(path, trial.stderr.decode("utf-8", "replace"))


def _require_columns(path: Path, chunk: ParquetChunk) -> None:
    """Numbers where numbers belong, lists where lists do, and at least one column we know."""
    for name, theirs in chunk.theirs.items():
        if name not in BY_NAME:
            continue
        found, wanted = chunk.found_type(theirs), BY_NAME[name].type
        if found is None or _kind(found) != _kind(wanted):
            raise UserError(
                f"{path}: column {theirs} holds {found or 'something else'} where "
                f"{_kind(wanted)}s belong; convert it or rename the column"
            )
    if not any(name in BY_NAME for name in chunk.types):
        raise UserError(
            f"{path}: no column of a TRPO log in it (found {', '.join(list(chunk.theirs)[:8])}); "
            "name one with --map theirs=ours"
        )


def _kind(type_: Type) -> str:
    return {"string": "text", "list<float64>": "list of number"}.get(type_, "number")


def _notes(chunk: ParquetChunk, *, numbered: bool) -> Iterator[str]:
    if not numbered:
        yield "no iteration column: rows are numbered from 1"
    skipped = [name for name in chunk.theirs if name not in chunk.types]
    if skipped:
        yield f"columns of a type a run cannot hold were left out: {', '.join(skipped)}"
