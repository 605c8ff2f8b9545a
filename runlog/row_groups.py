"""A stretch of a long run's rows, read from the row groups of its file that hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from runlog.chunk import CachedChunk, ParquetChunk, column_of, lists_of
from runlog.column import Column, ListColumn
from runlog.rows import RecordChunk
from runlog.run import Run
from runlog.schema import Type

if TYPE_CHECKING:
    import pyarrow as pa

PIECE, KEPT = 8192, 3
"""Rows that are read together, and how many such pieces stay in memory, with the columns that were
asked for."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows `first` to before `last` of a Parquet file."""

    whole: ParquetChunk
    first: int
    last: int

    @property
    def rows(self) -> int:
        return self.last - self.first

    @property
    def types(self) -> Mapping[str, Type]:
        return self.whole.types

    def column(self, name: str) -> Column:
        return column_of(self._read(name), self.types[name])

    def lists(self, name: str) -> ListColumn:
        return lists_of(self._read(name))

    def _read(self, name: str) -> "pa.ChunkedArray":
        import pyarrow as pa

        theirs, found, begin = self.whole.theirs[name], [], 0
        for group, rows in enumerate(self.whole.group_rows):
            first, last = max(self.first, begin), min(self.last, begin + rows)
            if first < last:
                column = self.whole.read_group(theirs, group)
                # Taken, not sliced: a slice would keep the whole row group in memory.
                found.append(column.take(pa.array(np.arange(first, last) - begin)))
            begin += rows
        return pa.chunked_array([array for part in found for array in part.chunks])


@dataclass(eq=False)
class RowGroups:
    """Stretches of a run whose rows all lie in one Parquet file."""

    run: Run
    _known: dict[int, CachedChunk] = field(default_factory=dict)

    @staticmethod
    def has(run: Run) -> bool:
        """Whether the run is such a one."""
        return (
            len(run.chunks) == 1
            and type(run.chunks[0]) is ParquetChunk  # not one on another machine
            and run.selection is None
        )

    def stretch(self, first: int, last: int, before: Sequence[Mapping[str, Any]] = ()) -> Run:
        """Rows `first` to before `last` as a run of their own, behind the records `before`."""
        whole = self.run.chunks[0]
        if not isinstance(whole, ParquetChunk):
            raise TypeError("the rows do not lie in one Parquet file")
        pieces = range(first // PIECE, -(-last // PIECE))
        chunks = tuple(self._piece(whole, number) for number in pieces)
        skipped = first - pieces[0] * PIECE
        kept = np.arange(len(before), len(before) + last - first) + skipped
        moved = len(before) - first
        return replace(
            self.run,
            chunks=(RecordChunk(tuple(before)), *chunks),
            selection=np.concatenate((np.arange(len(before)), kept)),
            events=tuple(
                replace(event, row=event.row + moved)
                for event in self.run.events
                if first < event.row <= last
            ),
            _cache={},
        )

    def _piece(self, whole: ParquetChunk, number: int) -> CachedChunk:
        begin = number * PIECE
        found = self._known.pop(number, None) or CachedChunk(
            Piece(whole, begin, min(begin + PIECE, whole.rows))
        )
        self._known[number] = found
        for old in list(self._known)[:-KEPT]:
            del self._known[old]
        return found
