"""The Parquet files of a run: their schema, their footer, how rows become one."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runlog.errors import UserError
from runlog.run import type_of
from runlog.schema import BY_NAME, COLUMNS, Type

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROW_GROUP_ROWS = 65_536
_PREFIX = b"trpo_tui."
_RUN = _PREFIX + b"run"
_CHECKSUM = _PREFIX + b"checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """What travels with the rows, so that one file is complete.

    `metadata`: run.json. `events`: the event and end records the rows cover, in order, verbatim.
    `columns`: the columns that hold something. `state`: name and reason of a run that was
    published without an end record; None otherwise. `converted`: what `convert` keeps of any run
    beside its rows and events; None in a file that a training wrote. `present`: how many cells
    of each column are not null, which a damaged page header may make other; empty if not counted.
    """

    metadata: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...] = ()
    columns: tuple[str, ...] = ()
    state: Mapping[str, Any] | None = None
    converted: Mapping[str, Any] | None = None
    present: Mapping[str, int] = field(default_factory=dict)

    def encoded(self) -> dict[bytes, bytes]:
        """The footer as Parquet's key-value metadata, each value JSON, all under one prefix."""
        fields = {
            b"run": self.metadata,
            b"events": self.events,
            b"columns": self.columns,
            b"state": self.state,
            b"present": self.present,
        } | ({} if self.converted is None else {b"converted": self.converted})
        pairs = {_PREFIX + key: json.dumps(value).encode() for key, value in fields.items()}
        # Parquet guards its pages with checksums, but not what stands in the footer.
        return pairs | {_CHECKSUM: b"%08x" % _checksum(pairs)}


def _checksum(pairs: Mapping[bytes, bytes]) -> int:
    return zlib.crc32(b"\n".join(key + pairs[key] for key in sorted(pairs)))


def read_footer(pairs: Mapping[bytes, bytes] | None) -> Footer | None:
    """The footer of a file this package wrote; None for a Parquet file of another program.

    Raises ValueError for one that is damaged.
    """
    ours = {key: value for key, value in (pairs or {}).items() if key.startswith(_PREFIX)}
    if not ours:
        return None
    checksum = ours.pop(_CHECKSUM, None)
    if _RUN not in ours or checksum not in (None, b"%08x" % _checksum(ours)):
        raise ValueError("its footer is damaged")
    found = {key.removeprefix(_PREFIX): json.loads(value) for key, value in ours.items()}
    return Footer(
        metadata=found[b"run"],
        events=tuple(found.get(b"events", ())),
        columns=tuple(found.get(b"columns", ())),
        state=found.get(b"state"),
        converted=found.get(b"converted"),
        present=found.get(b"present", {}),
    )


def arrow_type(type_: Type) -> "pa.DataType":
    """The Arrow type a column of that type is stored as."""
    import pyarrow as pa

    if type_ == "list<float64>":
        return pa.list_(pa.float64())
    return pa.type_for_alias(type_)


def arrow_schema(extras: Mapping[str, Type]) -> "pa.Schema":
    """Every declared column, in the order of declaration, then the extras."""
    import pyarrow as pa

    types = {spec.name: spec.type for spec in COLUMNS} | dict(extras)
    return pa.schema([pa.field(name, arrow_type(type_)) for name, type_ in types.items()])


def extras_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Type]:
    """Undeclared columns of some rows, each with the type its first value makes it."""
    extras: dict[str, Type] = {}
    for row in rows:
        for name in row.keys() - BY_NAME.keys() - extras.keys():
            extras[name] = type_of(row[name])
    return dict(sorted(extras.items()))


def table_of(rows: Sequence[Mapping[str, Any]], extras: Mapping[str, Type]) -> "pa.Table":
    """Rows as an Arrow table: a missing cell is null, NaN stays NaN."""
    import pyarrow as pa

    schema = arrow_schema(extras)
    arrays = [_array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(cells: list[Any], type_: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    try:
        return pa.array(cells, type=type_, from_pandas=False)
    except (pa.ArrowException, OverflowError, TypeError):
        return pa.array([_fitting(cell, type_) for cell in cells], type=type_, from_pandas=False)


def _fitting(cell: Any, type_: "pa.DataType") -> Any:
    # Another program's writer may have put a cell of the wrong type in: that one is lost alone.
    import pyarrow as pa

    try:
        return pa.scalar(cell, type=type_, from_pandas=False).as_py()
    except (pa.ArrowException, OverflowError, TypeError):
        return None


def columns_with_values(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Columns that hold a value in some row, declared ones first."""
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(name for name, cell in row.items() if cell is not None))
    return tuple(sorted(found, key=lambda name: (name not in BY_NAME, name)))


def parquet_writer(where: Any, schema: "pa.Schema") -> "pq.ParquetWriter":
    """A Parquet writer with this format's settings; `where` is a path or a binary stream."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    floats = [f.name for f in schema if pa.types.is_floating(f.type)]
    floats += [f"{f.name}.list.element" for f in schema if pa.types.is_list(f.type)]
    return pq.ParquetWriter(
        where,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[f.name for f in schema if pa.types.is_string(f.type)],
        use_byte_stream_split=floats,
        write_page_checksum=True,
    )


def encode(table: "pa.Table", footer: Footer) -> bytes:
    """The bytes of one Parquet file."""
    import pyarrow as pa

    stream = pa.BufferOutputStream()
    footer = replace(footer, present=_present(table, footer.columns))
    schema = table.schema.with_metadata(footer.encoded())
    with parquet_writer(stream, schema) as writer:
        writer.write_table(table.cast(schema), row_group_size=ROW_GROUP_ROWS)
    return bytes(stream.getvalue())


def _present(table: "pa.Table", columns: Iterable[str]) -> dict[str, int]:
    return {name: table.num_rows - table.column(name).null_count for name in columns}


def check_column(name: str, column: "pa.ChunkedArray", footer: Footer | None) -> None:
    """Raises ValueError where a whole column does not hold as many cells as were written."""
    found = len(column) - column.null_count
    if footer is not None and footer.present.get(name, found) != found:
        raise ValueError(f"its column {name} is damaged")


@cache
def warm_up() -> None:
    """Pay for Arrow's import and first conversion now, not in the middle of a training."""
    row = {name: () if spec.is_list else None for name, spec in BY_NAME.items()}
    encode(table_of([row], {}), Footer(metadata={}))


def open_parquet(
    path: Path, metadata: "pq.FileMetaData | None" = None, data: bytes | None = None
) -> "pq.ParquetFile":
    """The file, its footer checked; a damaged one is the user's error. `data`: what is in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = path if data is None else pa.BufferReader(data)
    try:
        file = pq.ParquetFile(source, metadata=metadata, page_checksum_verification=True)
        if metadata is None:
            _check(file.schema_arrow)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise not_readable(path, error) from error
    return file


def _check(schema: "pa.Schema") -> None:
    """Raises ValueError where the names and types of our own file are not those we wrote."""
    names = schema.names  # raises where they are no text any more
    footer = read_footer(schema.metadata)
    if footer is None:
        return
    if missing := set(footer.columns) - {*names}:
        raise ValueError(f"its column {min(missing)} has lost its name")
    for name in footer.columns:
        if name in BY_NAME and schema.field(name).type != arrow_type(BY_NAME[name].type):
            raise ValueError(f"its column {name} has lost its type")


def not_readable(path: Path | str, error: BaseException | str) -> UserError:
    """The one line for a Parquet file that cannot be read."""
    lines = str(error).strip().splitlines() or ["empty"]
    return UserError(f"{path}: not a readable Parquet file ({lines[0].rstrip('.')})")
