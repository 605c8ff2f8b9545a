"""Segments become immutable parts, and the parts of an ended run its one run.parquet."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runlog import folder as files
from runlog import records
from runlog.errors import UserError
from runlog.lock import Lock
from runlog.parts import (
    ROW_GROUP_ROWS,
    Footer,
    arrow_schema,
    columns_with_values,
    encode,
    extras_of,
    open_parquet,
    parquet_writer,
    read_footer,
    table_of,
)
from runlog.schema import Type
from runlog.state import ENDED
from runlog.tail import Tail
from runlog.wal import SegmentReader

if TYPE_CHECKING:
    import pyarrow as pa

_SLICE_ROWS = 16
_SLICE_BYTES = 2**16
"""So much is worked on between two breaths."""


def seal(folder: Path, first_row: int, *, breathe: Callable[[], None] = lambda: None) -> None:
    """Make the segment that begins with that row an immutable part, the sign that it is sealed.

    The segment itself stays for slow readers until the next one is sealed; older ones go. A
    segment without rows stays what it is: its events travel with it. `breathe` is called after
    every fraction of a millisecond in which no other thread could run.
    """
    reader = SegmentReader(files.segment_path(folder, first_row), first_row)
    if not _read_through(reader, breathe) or not (rows := reader.rows()):
        return
    (folder / files.PARTS).mkdir(exist_ok=True)
    slices = [rows[start : start + _SLICE_ROWS] for start in range(0, len(rows), _SLICE_ROWS)]
    table, columns = _table(slices, breathe)
    footer = Footer(
        metadata=files.read_metadata(folder) or {"run_id": reader.run_id},
        events=tuple(reader.events),
        columns=columns,
    )
    path = files.part_path(folder, first_row, reader.next_row - 1)
    files.write_new(path, encode(table, footer))
    for older in files.segments(folder):
        if older < first_row and _is_sealed(folder, older):
            _remove(files.segment_path(folder, older))


def _read_through(reader: SegmentReader, breathe: Callable[[], None]) -> bool:
    """Read a segment nobody writes to its end, a slice at a time; False if it is not there."""
    most, read = _SLICE_BYTES, 0
    while reader.advance(most):
        breathe()
        if reader.size > read:
            most, read = _SLICE_BYTES, reader.size
        elif read + most < reader.path.stat().st_size:
            most *= 2  # a record longer than that
        else:
            return True
    return False


def _table(
    slices: "Sequence[Sequence[Mapping[str, Any]]]", breathe: Callable[[], None]
) -> "tuple[pa.Table, tuple[str, ...]]":
    """The rows as one table, and the columns that hold something."""
    import pyarrow as pa

    extras: dict[str, Type] = {}
    columns: dict[str, bool] = {}
    for rows in slices:
        extras = extras_of(rows) | extras  # the first value's type holds
        columns |= dict.fromkeys(columns_with_values(rows), True)
        breathe()
    tables: list[pa.Table] = []
    for rows in slices:
        tables.append(table_of(rows, dict(sorted(extras.items()))))
        breathe()
    return pa.concat_tables(tables), columns_with_values([columns])


def _is_sealed(folder: Path, first_row: int) -> bool:
    return any(first == first_row for first, _ in files.parts(folder))


def publish(folder: Path, *, state: Mapping[str, Any] | None = None) -> Path:
    """Make `run.parquet` of a run nobody writes, read it back, then remove what it replaces.

    `state`: name and reason, for a run that has no end record. The caller holds the lock.
    """
    damage = []
    for reader in Tail(folder).readers:
        seal(folder, reader.first_row)
        if reader.damage:
            event = records.event(
                row=reader.next_row, time=time.time(), event="damaged", text=reader.damage
            )
            damage.append(event)
    tail = Tail(folder)
    paths = [files.part_path(folder, *rows) for rows in files.parts(folder)]
    footers = [_footer(path) for path in paths]
    events = [event for footer in footers for event in footer.events]
    events += [event for reader in tail.readers for event in reader.events]
    events += damage
    footer = Footer(
        metadata=tail.run.metadata,
        events=tuple(events),
        columns=columns_with_values(dict.fromkeys(footer.columns, True) for footer in footers),
        state=state,
        present=_joined_counts(footers),
    )
    temporary = folder / f"{files.TEMPORARY}run"
    try:
        rows = _merge(paths, temporary, footer)
        _read_back(temporary, rows)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.rename(folder / files.PUBLISHED)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    files.sync_folder(folder)
    _tidy(folder)
    return folder / files.PUBLISHED


def finalize(path: str | os.PathLike[str]) -> Path:
    """Make the `run.parquet` of any run nobody writes any more; it cannot be resumed afterwards.

    Returns its path; a run that has one already is left alone. Raises UserError for a run that
    is being written and for a folder that holds none.
    """
    folder = Path(path)
    if folder.name == files.PUBLISHED:
        folder = folder.parent
    if (folder / files.PUBLISHED).is_file():
        return folder / files.PUBLISHED
    if not files.is_run(folder):
        raise UserError(f"{folder}: no run here; give the folder of a run")
    state = Tail(folder).run.state  # as it was found: taking the lock changes what is seen
    if state.name not in ENDED:
        raise UserError(f"{folder}: this run is still being written; stop it first")
    # What was found beside the run, or that its writer is gone, cannot be told from the rows.
    word = {"name": state.name, "reason": state.reason}
    try:
        lock = Lock(folder)
        try:
            return publish(folder, state=word)
        finally:
            lock.release()
    except OSError as error:
        raise UserError(
            f"{folder}: run.parquet cannot be written here ({error.strerror or error}); "
            "make room or copy the folder to where you may write"
        ) from error


def _joined_counts(footers: Sequence[Footer]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for footer in footers:
        if footer.columns and not footer.present:
            return {}  # a part of an older version
        counts.update(footer.present)
    return dict(counts)


def _footer(path: Path) -> Footer:
    with open_parquet(path) as file:
        footer = read_footer(file.schema_arrow.metadata)
    if footer is None:
        raise UserError(f"{path}: this part was not written by a run log; move it away")
    return footer


def _merge(paths: list[Path], where: Path, footer: Footer) -> int:
    """Write the parts one after the other as one file, in full row groups; returns the rows."""
    import pyarrow as pa

    schema = _joined_schema(paths).with_metadata(footer.encoded())
    rows = 0
    with parquet_writer(where, schema) as writer:
        for table in _batches(paths, schema):
            writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
            rows += table.num_rows
        if rows == 0:
            writer.write_table(pa.Table.from_pylist([], schema=schema))
    return rows


def _batches(paths: list[Path], schema: "pa.Schema") -> "Iterator[pa.Table]":
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for path in paths:
        with open_parquet(path) as file:
            waiting.append(_fitted(file.read(), schema))
        if sum(table.num_rows for table in waiting) >= ROW_GROUP_ROWS:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, ROW_GROUP_ROWS)
            waiting = [joined.slice(ROW_GROUP_ROWS)]
    if waiting:
        yield pa.concat_tables(waiting)


def _joined_schema(paths: list[Path]) -> "pa.Schema":
    """Declared columns, then every extra of any part with the type it first had."""
    import pyarrow as pa

    fields = {field.name: field for field in arrow_schema({})}
    for path in paths:
        with open_parquet(path) as file:
            for field in file.schema_arrow:
                fields.setdefault(field.name, field)
    return pa.schema(list(fields.values()))


def _fitted(table: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    arrays = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _read_back(path: Path, rows: int) -> None:
    with open_parquet(path) as file:
        found = sum(file.read_row_group(i).num_rows for i in range(file.num_row_groups))
    if found != rows:
        raise OSError(f"{path}: {found} of {rows} rows could be read back")


def _tidy(folder: Path) -> None:
    for rows in files.parts(folder):
        _remove(files.part_path(folder, *rows))
    for first_row in files.segments(folder)[:-1]:
        _remove(files.segment_path(folder, first_row))
    try:
        (folder / files.PARTS).rmdir()
    except OSError:
        return  # never made, or it holds something that is not ours


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return  # Windows: a reader has it open; a file too many does no harm
