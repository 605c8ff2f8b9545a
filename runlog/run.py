"""A run as read: immutable, column by column, with what is known about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from runlog.column import (
    Column,
    ListColumn,
    absent,
    absent_lists,
    frozen,
    joined,
    joined_lists,
    taken,
    taken_lists,
)
from runlog.rows import Chunk, RecordChunk, type_of
from runlog.schema import BY_NAME, Type

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Chunk",
    "Column",
    "Event",
    "ImportInfo",
    "ListColumn",
    "RecordChunk",
    "Run",
    "State",
    "StateName",
    "run_of",
    "type_of",
]
StateName = Literal[
    "running", "slow", "quiet", "finished", "stopped", "preempted", "crashed", "killed", "lost"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened after the row before `row`: a checkpoint, a warning, a signal."""

    row: int
    time: float | None
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Is the process alive? Derived, never stored. `reason` is one sentence or None."""

    name: StateName
    last_iteration: int | None
    last_row_time: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportInfo:
    """What an importer made of a foreign log."""

    format: str
    attempts: int
    understood: tuple[str, ...]
    not_understood: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    """What its numbers mean where that differs from the declared columns, one sentence each."""


@dataclass(frozen=True, eq=False)
class Run:
    """One table, one row per iteration, with what is known about the run around it.

    `selection`: (len,) int64, which rows of the chunks end to end belong to the attempt shown
    (None: all of them). `attempts`: how many the log holds; `attempt`: the one shown.
    """

    chunks: tuple[Chunk, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    state: State = State(name="finished", last_iteration=None, last_row_time=None)
    selection: NDArray[np.int64] | None = None
    attempts: int = 1
    attempt: int = 1
    source: ImportInfo | None = None
    notes: tuple[str, ...] = ()
    """Sentences the reader must say: a newer schema, dropped records, an unreadable part."""
    records: tuple[Mapping[str, Any], ...] | None = None
    """Event and end records of all attempts as they were written; None where no run log wrote them."""
    _cache: dict[str, Column | ListColumn] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        if self.selection is not None:
            return len(self.selection)
        return sum(chunk.rows for chunk in self.chunks)

    @cached_property
    def types(self) -> Mapping[str, Type]:
        """Columns that some chunk holds, with their types, declared ones first."""
        found: dict[str, Type] = {}
        for chunk in self.chunks:
            for name, type_ in chunk.types.items():
                found.setdefault(name, type_)
        declared = {name: found[name] for name in BY_NAME if name in found}
        return declared | found

    def column(self, name: str) -> Column:
        """The column of that name; all null where the log does not hold it."""
        column = self._cache.get(name)
        if column is None:
            column = self._cache[name] = frozen(self._join(name))
        if not isinstance(column, Column):
            raise TypeError(f"{name} holds lists: use lists({name!r})")
        return column

    def lists(self, name: str) -> ListColumn:
        """The column of lists of that name; all null where the log does not hold it."""
        column = self._cache.get(name)
        if column is None:
            column = self._cache[name] = frozen(self._join_lists(name))
        if not isinstance(column, ListColumn):
            raise TypeError(f"{name} holds no lists: use column({name!r})")
        return column

    def _type(self, name: str) -> Type | None:
        return next((chunk.types[name] for chunk in self.chunks if name in chunk.types), None)

    def _join(self, name: str) -> Column:
        type_ = self._type(name)
        if type_ is None:
            return absent(name, len(self))
        if type_.startswith("list<"):
            raise TypeError(f"{name} holds lists: use lists({name!r})")
        parts = [
            chunk.column(name) if name in chunk.types else absent(name, chunk.rows)
            for chunk in self.chunks
        ]
        whole = joined(parts, text=type_ == "string")
        return whole if self.selection is None else taken(whole, self.selection)

    def _join_lists(self, name: str) -> ListColumn:
        type_ = self._type(name)
        if type_ is None:
            return absent_lists(len(self))
        if not type_.startswith("list<"):
            raise TypeError(f"{name} holds no lists: use column({name!r})")
        parts = [
            chunk.lists(name) if name in chunk.types else absent_lists(chunk.rows)
            for chunk in self.chunks
        ]
        whole = joined_lists(parts)
        return whole if self.selection is None else taken_lists(whole, self.selection)

    def head(self, n: int) -> "Run":
        """The first n rows as a run of their own; the state stays what it is."""
        n = max(0, min(n, len(self)))
        rows = np.arange(n) if self.selection is None else self.selection[:n]
        events = tuple(event for event in self.events if event.row <= n)
        return replace(self, selection=rows, events=events, _cache={})

    def to_pandas(self) -> "pd.DataFrame":
        """A DataFrame with Arrow types, so that null and NaN stay apart."""
        from runlog.dataframe import dataframe_of

        return dataframe_of(self)


def run_of(
    rows: Sequence[Mapping[str, Any]],
    *,
    metadata: Mapping[str, Any] | None = None,
    resolutions: Sequence[Mapping[str, float]] | None = None,
) -> Run:
    """A run made of rows in memory: what tests and importers use."""
    chunk = RecordChunk(tuple(rows), None if resolutions is None else tuple(resolutions))
    last = [row["iteration"] for row in rows if row.get("iteration") is not None][-1:]
    state = State(name="finished", last_iteration=last[0] if last else None, last_row_time=None)
    return Run(chunks=(chunk,), metadata=metadata or {}, state=state)
