"""Any run as one Parquet file: its rows, how precisely they were printed, and all around them."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runlog.errors import UserError
from runlog.folder import write_new
from runlog.parts import Footer, arrow_schema, arrow_type, encode
from runlog.run import Event, Run
from runlog.schema import BY_NAME, SCHEMA_VERSION, Type

if TYPE_CHECKING:
    import pyarrow as pa

RESOLUTION = "resolution_"
"""Before the name of a column: half a unit of the last digit printed, as a column of its own."""


def convert(run: Run, where: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write the attempt shown of a run to a Parquet file that `open_run` reads back as it is.

    Raises UserError where the file cannot be written; one that is there already is replaced only
    with `force`.
    """
    path = Path(where)
    if path.is_dir():
        raise UserError(f"{path}: a folder; name the file to write, such as {path / 'run.parquet'}")
    if path.exists() and not force:
        raise UserError(f"{path}: is there already; --force replaces it")
    data = encoded(run)
    try:
        write_new(path, data)  # who reads the old file keeps it whole
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def encoded(run: Run) -> bytes:
    """The bytes of a Parquet file that holds the attempt shown."""
    table, resolutions = _table(run)
    return encode(table, _footer(run, resolutions))


def encoded_whole(run: Run) -> bytes:
    """The same of every attempt, as a training publishes it; of another's log the attempt shown."""
    if run.records is None:
        return encoded(run)
    everything = Run(chunks=run.chunks)
    row = len(everything)
    notes = (_record(Event(row=row, time=None, kind="note", text=note)) for note in run.notes)
    footer = Footer(
        metadata=run.metadata,
        events=(*run.records, *notes),
        columns=tuple(everything.types),
        state={"name": run.state.name, "reason": run.state.reason},
    )
    return encode(_table(everything)[0], footer)


def _table(run: Run) -> "tuple[pa.Table, list[str]]":
    """The rows, and the columns beside which their resolution stands."""
    import pyarrow as pa

    arrays: dict[str, pa.Array] = {}
    extras: dict[str, Type] = {}
    resolutions: dict[str, pa.Array] = {}
    for name, type_ in run.types.items():
        if name not in BY_NAME:
            extras[name] = type_
        if type_ == "list<float64>":
            arrays[name] = _lists(run, name)
            continue
        arrays[name] = _cells(run, name, type_)
        half = run.column(name).resolution
        if half is not None and half.any():
            resolutions[name] = pa.array(half)
    schema = arrow_schema(extras)
    for name in resolutions:
        schema = schema.append(pa.field(RESOLUTION + name, pa.float64()))
    arrays |= {RESOLUTION + name: array for name, array in resolutions.items()}
    columns = [
        arrays[field.name] if field.name in arrays else pa.nulls(len(run), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema), list(resolutions)


def _footer(run: Run, resolutions: list[str]) -> Footer:
    return Footer(
        metadata=run.metadata,
        events=tuple(map(_record, run.events)),
        columns=tuple(run.types),
        converted={
            "schema": SCHEMA_VERSION,
            "source": None if run.source is None else asdict(run.source),
            "state": asdict(run.state),
            "attempts": run.attempts,
            "attempt": run.attempt,
            "notes": run.notes,
            "resolutions": resolutions,
        },
    )


def _record(event: Event) -> dict[str, Any]:
    return {
        "kind": "event",
        "row": event.row,
        "time": event.time,
        "event": event.kind,
        "text": event.text,
    }


def _cells(run: Run, name: str, type_: Type) -> "pa.Array":
    import pyarrow as pa

    column = run.column(name)
    if type_ == "string":
        return pa.array(column.values.tolist(), type=pa.string())
    array = pa.array(column.values, mask=~column.present, from_pandas=False)
    return array if type_ == "float64" else array.cast(arrow_type(type_))


def _lists(run: Run, name: str) -> "pa.Array":
    import pyarrow as pa

    column = run.lists(name)
    values = pa.array(column.values, mask=~column.entry_present, from_pandas=False)
    offsets = pa.array(column.offsets.astype(np.int32), mask=np.append(~column.present, False))
    return pa.ListArray.from_arrays(offsets, values)
