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

KEPT = 2
"""Row groups that stay in memory, with the columns that were asked for."""


@dataclass(frozen=True, eq=False)
class GroupChunk:
    """One row group of a Parquet file."""

    whole: ParquetChunk
    group: int

    @property
    def rows(self) -> int:
        return self.whole.group_rows[self.group]

    @property
    def types(self) -> Mapping[str, Type]:
        return self.whole.types

    def column(self, name: str) -> Column:
        return column_of(self._read(name), self.types[name])

    def lists(self, name: str) -> ListColumn:
        return lists_of(self._read(name))

    def _read(self, name: str) -> "pa.ChunkedArray":
        return self.whole.read_group(self.whole.theirs[name], self.group)


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
        begins = np.concatenate(([0], np.cumsum(whole.group_rows)))
        groups = range(
            int(np.searchsorted(begins, first, side="right")) - 1,
            int(np.searchsorted(begins, last, side="left")),
        )
        chunks = tuple(self._group(whole, group) for group in groups)
        skipped = first - int(begins[groups[0]])
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

    def _group(self, whole: ParquetChunk, group: int) -> CachedChunk:
        found = self._known.pop(group, None) or CachedChunk(GroupChunk(whole, group))
        self._known[group] = found
        for old in list(self._known)[:-KEPT]:
            del self._known[old]
        return found
