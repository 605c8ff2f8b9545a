"""Chunks of rows and records of events, put together into the run that is shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runlog.attempts import select
from runlog.chunk import ParquetChunk
from runlog.converted import converted_run
from runlog.records import FORMAT
from runlog.rows import Chunk
from runlog.run import Event, ImportInfo, Run
from runlog.schema import SCHEMA_VERSION
from runlog.state import ended_state, state_of


def assemble(
    chunks: tuple[Chunk, ...],
    *,
    metadata: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]] = (),
    attempt: int | None = None,
    notes: tuple[str, ...] = (),
    source: ImportInfo | None = None,
) -> Run:
    """The rows of one attempt as a run, its events placed among them; the state is finished.

    `chunks`: all rows ever logged, in order. `records`: the event and end records.
    """
    everything = Run(chunks=chunks)
    rows, shown, count = select(everything.column("iteration").values, attempt)
    whole = len(rows) == len(everything)
    run = Run(
        chunks=chunks,
        metadata=metadata,
        events=tuple(_events(records, rows)),
        selection=None if whole else rows,
        attempts=count,
        attempt=shown,
        source=source,
        notes=notes,
        records=None if source else tuple(records),
        _cache=everything._cache if whole else {},
    )
    state = state_of("finished", None, run.column("iteration").values, _times(run))
    return replace(run, state=state)


def _times(run: Run) -> NDArray[np.float64]:
    """When the rows were complete, as far back as the last one whose time is known."""
    last = run.chunks[-1] if run.chunks and run.selection is None else None
    if isinstance(last, ParquetChunk) and "time" in last.types:
        ending = last.ending("time")
        if not np.isnan(ending[-1:]).any():
            return ending
    return run.column("time").values


def published_run(chunk: ParquetChunk, *, attempt: int | None = None) -> Run:
    """The run that a run.parquet of this package holds."""
    footer = chunk.footer
    if footer is None:
        raise ValueError(f"{chunk.path} has no footer of this package")
    if footer.converted is not None:
        return converted_run(chunk, footer, footer.converted, attempt=attempt)
    run = assemble(
        (chunk,),
        metadata=footer.metadata,
        records=footer.events,
        attempt=attempt,
        notes=newer(footer.metadata),
    )
    if footer.state is not None:
        name, reason = footer.state["name"], footer.state.get("reason")
    elif footer.events and footer.events[-1]["kind"] == "end":
        name, reason = ended_state(footer.events[-1], footer.events[:-1])
    else:
        return run
    return replace(run, state=replace(run.state, name=name, reason=reason))


def newer(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """One line where a newer version wrote the run: it is read as far as it is known."""
    for what, known in (("format", FORMAT), ("schema", SCHEMA_VERSION)):
        version = metadata.get(what)
        if isinstance(version, int) and version > known:
            return (
                f"written with {what} {version}, this version knows {known}: "
                "read as far as known; upgrade trpo-tui for the rest",
            )
    return ()


def _events(records: Iterable[Mapping[str, Any]], rows: NDArray[np.int64]) -> Iterable[Event]:
    """Events beside the rows shown, `row` counted among these; an end record is an event too."""
    for record in records:
        row = record["row"]
        place = int(np.searchsorted(rows, row))
        follows = place > 0 and rows[place - 1] == row - 1
        precedes = place < len(rows) and rows[place] == row
        if row and len(rows) and not follows and not precedes:
            continue  # between two hidden rows: it belongs to what a later attempt supersedes
        ended = record["kind"] == "end"
        yield Event(
            row=place,
            time=record["time"],
            kind=record["state"] if ended else record["event"],
            text=(record.get("reason") or "") if ended else record["text"],
        )
