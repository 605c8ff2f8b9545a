"""Rows of a run in a Parquet file, read column by column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runlog.column import Column, ListColumn
from runlog.errors import UserError
from runlog.open_files import opened
from runlog.parts import Footer, check_column, not_readable, open_parquet, read_footer
from runlog.rows import Chunk
from runlog.schema import BY_NAME, Type

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class CachedChunk:
    """A chunk that keeps the columns it was asked for; its columns are shared by all its runs."""

    inner: Chunk
    _columns: dict[str, Column] = field(default_factory=dict, repr=False)
    _lists: dict[str, ListColumn] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        return self.inner.rows

    @property
    def types(self) -> Mapping[str, Type]:
        return self.inner.types

    def column(self, name: str) -> Column:
        if name not in self._columns:
            self._columns[name] = self.inner.column(name)
        return self._columns[name]

    def lists(self, name: str) -> ListColumn:
        if name not in self._lists:
            self._lists[name] = self.inner.lists(name)
        return self._lists[name]


@dataclass(frozen=True, eq=False)
class ParquetChunk:
    """The rows of one Parquet file; each column is read when it is asked for.

    A part disappears when its run is published: `successor` is the file that then holds its
    rows, from row `start` on. `names` maps the file's column names to ours (None: they are ours).
    `data` is the file's contents where they lie inside another file, `path`.
    """

    path: Path
    successor: Path | None = None
    start: int = 0
    names: Mapping[str, str] | None = None
    data: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _ = self._opened  # a file that cannot be read is said at once, not at the first column

    @cached_property
    def _opened(self) -> "tuple[Any, pa.Schema]":
        file = open_parquet(self.path, data=self.data)
        with file:
            return file.metadata, file.schema_arrow

    @property
    def rows(self) -> int:
        return int(self._opened[0].num_rows)

    @property
    def names_in_file(self) -> list[str]:
        """The file's own column names, in order, as often as they stand there."""
        return list(self._opened[1].names)

    @cached_property
    def footer(self) -> Footer | None:
        """What this package wrote beside the rows; None in a file of another program."""
        return read_footer(self._opened[1].metadata)

    @cached_property
    def theirs(self) -> Mapping[str, str]:
        """Our name of each column to the file's."""
        names = self.names or {}
        return {names.get(name, name): name for name in self._opened[1].names}

    @cached_property
    def types(self) -> Mapping[str, Type]:
        filled = set(self.footer.columns) if self.footer else None
        types: dict[str, Type] = {}
        for name, theirs in self.theirs.items():
            type_ = self.found_type(theirs)
            if type_ is not None and (filled is None or theirs in filled):
                types[name] = BY_NAME[name].type if name in BY_NAME else type_
        return types

    def found_type(self, name: str) -> Type | None:
        """Type of a column under the file's own name; None for one a run cannot hold."""
        return type_of_arrow(self._opened[1].field(name).type)

    def column(self, name: str) -> Column:
        return column_of(self.read(self.theirs[name]), self.types[name])

    def beside(self, name: str) -> NDArray[np.float64]:
        """(rows,) numbers that are no column of the run, under the file's own name."""
        return column_of(self.read(name), "float64").values

    def lists(self, name: str) -> ListColumn:
        return lists_of(self.read(self.theirs[name]))

    def ending(self, name: str) -> NDArray[np.float64]:
        """The numbers of a column in the last rows, of which there are some if there are any."""
        import pyarrow as pa

        if not self.rows:
            return np.empty(0)
        theirs = self.theirs[name]
        try:
            with open_parquet(self.path, self._opened[0], self.data) as file:
                table = file.read_row_group(file.num_row_groups - 1, columns=[theirs])
        except (pa.ArrowException, OSError, ValueError) as error:
            raise not_readable(self.path, error) from error
        return column_of(table.column(theirs), self.types[name]).values

    @cached_property
    def group_rows(self) -> tuple[int, ...]:
        """How many rows each row group of the file has."""
        metadata = self._opened[0]
        return tuple(metadata.row_group(k).num_rows for k in range(metadata.num_row_groups))

    def read_group(self, name: str, group: int) -> "pa.ChunkedArray":
        """One column in one row group, under the file's own name."""
        import pyarrow as pa

        path, metadata = self.path, self._opened[0]
        try:
            with opened(metadata, lambda: open_parquet(path, metadata, self.data)) as file:
                return file.read_row_group(group, columns=[name]).column(name)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise not_readable(path, error) from error

    def read(self, name: str) -> "pa.ChunkedArray":
        """One column as Arrow holds it, under the file's own name."""
        import pyarrow as pa

        path, metadata = self.path, self._opened[0]
        try:
            try:
                with opened(metadata, lambda: open_parquet(path, metadata, self.data)) as file:
                    column = file.read(columns=[name], use_threads=False).column(name)
            except FileNotFoundError:
                if self.successor is None:
                    raise
                path = self.successor
                with open_parquet(path) as file:
                    column = file.read(columns=[name]).column(name)
            if path is self.path:
                check_column(name, column, self.footer)
        except FileNotFoundError as error:
            raise UserError(f"{path}: not there any more; {name} was not read before") from error
        except (pa.ArrowException, OSError, ValueError) as error:
            raise not_readable(path, error) from error
        return column if path is self.path else column.slice(self.start, self.rows)


def type_of_arrow(type_: "pa.DataType") -> Type | None:
    """Type of the column an Arrow column makes; None for one a run cannot hold."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_dictionary(type_):
        type_ = type_.value_type
    if is_.is_boolean(type_):
        return "bool"
    if is_.is_integer(type_) or is_.is_floating(type_) or is_.is_decimal(type_):
        return "float64"
    if is_.is_string(type_) or is_.is_large_string(type_) or is_.is_string_view(type_):
        return "string"
    if is_.is_null(type_):
        return "float64"
    listed = is_.is_list(type_) or is_.is_large_list(type_) or is_.is_fixed_size_list(type_)
    if listed and type_of_arrow(type_.value_type) in ("float64", "bool"):
        return "list<float64>"
    return None


# Arrow's own ways to NumPy, and any Arrow value made from Python's, import pandas: 400 ms; a cast or
# a flatten imports pyarrow.compute: 70 ms. So its buffers are read instead, and cast only where they must be.


def column_of(array: "pa.ChunkedArray", type_: Type) -> Column:
    """An Arrow column as values and presence, null and NaN kept apart."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if type_ == "string":
        cells = _as(array, pa.string()).to_pylist()
        present = np.array([cell is not None for cell in cells], dtype=bool)
        return Column(np.array(cells, dtype=object), present)
    whole = array.combine_chunks()
    if pa.types.is_boolean(whole.type):
        values, present = _bits(whole, 1).astype(np.float64), _presence(whole)
    elif pa.types.is_int64(whole.type):
        values = _buffer(whole, 1, np.int64, len(whole)).astype(np.float64)
        present = _presence(whole)
    else:
        return Column(*_floats(_as(whole, pa.float64())))
    values[~present] = np.nan
    return Column(values, present)


def lists_of(array: "pa.ChunkedArray") -> ListColumn:
    """An Arrow column of lists as flat values and offsets."""
    import pyarrow as pa

    whole = array.combine_chunks()
    if whole.type == pa.list_(pa.float64()):
        bounds = _buffer(whole, 1, np.int32, len(whole) + 1).astype(np.int64)
    else:
        whole = _as(whole, pa.large_list(pa.float64()))
        bounds = _buffer(whole, 1, np.int64, len(whole) + 1)
    present = _presence(whole)
    lengths = np.where(present, np.diff(bounds), 0)  # a null list may hide entries
    offsets = np.zeros(len(whole) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    values, there = _floats(whole.values.slice(bounds[0], bounds[-1] - bounds[0]))
    if len(values) > offsets[-1]:
        shown = np.repeat(present, np.diff(bounds))
        values, there = values[shown], there[shown]
    return ListColumn(values, offsets, present, there)


def _as(array: Any, type_: "pa.DataType") -> Any:
    return array if array.type == type_ else array.cast(type_, safe=False)


def _floats(array: "pa.Array") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    present = _presence(array)
    values = _buffer(array, 1, np.float64, len(array))
    if not present.all():
        values = np.where(present, values, np.nan)
    return values, present


def _presence(array: "pa.Array") -> NDArray[np.bool_]:
    return _bits(array, 0)


def _bits(array: "pa.Array", which: int) -> NDArray[np.bool_]:
    """A buffer of one bit a value; all set where there is none."""
    bits = array.buffers()[which]
    if bits is None:
        return np.ones(len(array), dtype=bool)
    flags = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), bitorder="little")
    return flags[array.offset : array.offset + len(array)].astype(bool)


def _buffer(array: "pa.Array", which: int, kind: type[Any], count: int) -> NDArray[Any]:
    buffer = array.buffers()[which]
    if buffer is None or len(array) == 0:
        return np.zeros(count, dtype=kind)
    return np.frombuffer(buffer, dtype=kind)[array.offset : array.offset + count]
