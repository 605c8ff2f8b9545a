"""A run as read: immutable, column by column, null and NaN kept apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from runlog.schema import BY_NAME, Type

if TYPE_CHECKING:
    import pandas as pd

AnyColumn = TypeVar("AnyColumn", "Column", "ListColumn")
StateName = Literal[
    "running", "slow", "quiet", "finished", "stopped", "preempted", "crashed", "killed", "lost"
]
Value = int | float | bool | str | Sequence[float | None]
"""What one cell may hold; a null cell is simply absent from its row."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of n rows.

    `values`: (n,) float64 for numbers and flags, object for text; a cell that is null holds NaN or None.
    `present`: (n,) bool, False where the cell is null; a NaN that was computed is present.
    `resolution`: (n,) float64, half a unit of the last printed digit; None means full precision.
    """

    values: NDArray[Any]
    present: NDArray[np.bool_]
    resolution: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.present)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of n lists of numbers.

    `values`: (total,) float64, all lists end to end. `offsets`: (n + 1,) int64; list i is
    `values[offsets[i]:offsets[i + 1]]`. `present`: (n,) bool, False where the list is null.
    `entry_present`: (total,) bool, False where an entry inside a list is null (its value is NaN).
    """

    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    present: NDArray[np.bool_]
    entry_present: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, i: int) -> NDArray[np.float64]:
        return self.values[self.offsets[i] : self.offsets[i + 1]]


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


class Chunk(Protocol):
    """Consecutive rows from one place: a Parquet part, the open segment, an imported text."""

    @property
    def rows(self) -> int: ...
    @property
    def types(self) -> Mapping[str, Type]:
        """Columns this chunk holds, with their types."""

    def column(self, name: str) -> Column: ...
    def lists(self, name: str) -> ListColumn: ...


def type_of(value: object) -> Type:
    """Type of the column a first value makes: text, flag, number or list of numbers."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, list | tuple | np.ndarray):
        return "list<float64>"
    return "float64"


@dataclass(frozen=True, eq=False)
class RecordChunk:
    """Rows held as mappings from column to value; `resolutions`, where given, run parallel."""

    records: tuple[Mapping[str, Any], ...]
    resolutions: tuple[Mapping[str, float], ...] | None = None

    @property
    def rows(self) -> int:
        return len(self.records)

    @cached_property
    def types(self) -> Mapping[str, Type]:
        types: dict[str, Type] = {}
        for record in self.records:
            for name, value in record.items():
                if name not in types:
                    types[name] = BY_NAME[name].type if name in BY_NAME else type_of(value)
        return types

    def column(self, name: str) -> Column:
        cells = [record.get(name) for record in self.records]
        present = np.array([cell is not None for cell in cells], dtype=bool)
        if self.types[name] == "string":
            return Column(np.array(cells, dtype=object), present)
        values = np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
        if self.resolutions is None:
            return Column(values, present)
        halves = [row.get(name, 0.0) for row in self.resolutions]
        return Column(values, present, np.array(halves, dtype=np.float64))

    def lists(self, name: str) -> ListColumn:
        cells = [record.get(name) for record in self.records]
        present = np.array([cell is not None for cell in cells], dtype=bool)
        offsets = np.zeros(len(cells) + 1, dtype=np.int64)
        np.cumsum([0 if cell is None else len(cell) for cell in cells], out=offsets[1:])
        entries = [entry for cell in cells if cell is not None for entry in cell]
        there = np.array([entry is not None for entry in entries], dtype=bool)
        values = np.array([np.nan if e is None else e for e in entries], dtype=np.float64)
        return ListColumn(values, offsets, present, there)


def _frozen(column: AnyColumn) -> AnyColumn:
    """The same column, its arrays no longer writable: a run does not change."""
    for field_ in fields(column):
        array = getattr(column, field_.name)
        if array is not None:
            array.setflags(write=False)
    return column


def _absent(name: str, n: int) -> Column:
    text = name in BY_NAME and BY_NAME[name].type == "string"
    values = np.full(n, None, dtype=object) if text else np.full(n, np.nan)
    return Column(values, np.zeros(n, dtype=bool))


def _absent_lists(n: int) -> ListColumn:
    nothing = np.empty(0)
    return ListColumn(
        nothing, np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=bool), nothing.astype(bool)
    )


def _take_lists(column: ListColumn, rows: NDArray[np.int64]) -> ListColumn:
    lengths = np.diff(column.offsets)[rows]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    index = np.repeat(column.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return ListColumn(
        column.values[index], offsets, column.present[rows], column.entry_present[index]
    )


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
            column = self._cache[name] = _frozen(self._join(name))
        if not isinstance(column, Column):
            raise TypeError(f"{name} holds lists: use lists({name!r})")
        return column

    def lists(self, name: str) -> ListColumn:
        """The column of lists of that name; all null where the log does not hold it."""
        column = self._cache.get(name)
        if column is None:
            column = self._cache[name] = _frozen(self._join_lists(name))
        if not isinstance(column, ListColumn):
            raise TypeError(f"{name} holds no lists: use column({name!r})")
        return column

    def _join(self, name: str) -> Column:
        if not self.chunks or name not in self.types:
            return _absent(name, len(self))
        if self.types[name].startswith("list<"):
            raise TypeError(f"{name} holds lists: use lists({name!r})")
        parts = [
            chunk.column(name) if name in chunk.types else _absent(name, chunk.rows)
            for chunk in self.chunks
        ]
        text = self.types[name] == "string"
        values = np.concatenate([p.values.astype(object) if text else p.values for p in parts])
        present = np.concatenate([p.present for p in parts])
        resolution = None
        if any(p.resolution is not None for p in parts):
            resolution = np.concatenate(
                [np.zeros(len(p)) if p.resolution is None else p.resolution for p in parts]
            )
        if self.selection is None:
            return Column(values, present, resolution)
        rows = self.selection
        return Column(values[rows], present[rows], None if resolution is None else resolution[rows])

    def _join_lists(self, name: str) -> ListColumn:
        if not self.chunks or name not in self.types:
            return _absent_lists(len(self))
        if not self.types[name].startswith("list<"):
            raise TypeError(f"{name} holds no lists: use column({name!r})")
        parts = [
            chunk.lists(name) if name in chunk.types else _absent_lists(chunk.rows)
            for chunk in self.chunks
        ]
        starts = np.cumsum([0] + [len(p.values) for p in parts])
        offsets = np.concatenate(
            [p.offsets[:-1] + start for p, start in zip(parts, starts, strict=False)]
            + [starts[-1:]]
        ).astype(np.int64)
        joined = ListColumn(
            np.concatenate([p.values for p in parts]),
            offsets,
            np.concatenate([p.present for p in parts]),
            np.concatenate([p.entry_present for p in parts]),
        )
        return joined if self.selection is None else _take_lists(joined, self.selection)

    def head(self, n: int) -> "Run":
        """The first n rows as a run of their own; the state stays what it is."""
        n = max(0, min(n, len(self)))
        rows = np.arange(n) if self.selection is None else self.selection[:n]
        events = tuple(event for event in self.events if event.row <= n)
        return replace(self, selection=rows, events=events, _cache={})

    def to_pandas(self) -> "pd.DataFrame":
        """A DataFrame with Arrow types, so that null and NaN stay apart."""
        import pandas as pd
        import pyarrow as pa

        arrays: dict[str, Any] = {}
        # Our own logs always have every declared column, so that a notebook does not break on
        # just the run that is too sick to fill one.
        declared = {name: spec.type for name, spec in BY_NAME.items()} if not self.source else {}
        for name, type_ in (declared | dict(self.types)).items():
            if type_ == "list<float64>":
                column = self.lists(name)
                values = pa.array(column.values, mask=~column.entry_present)
                joined = pa.LargeListArray.from_arrays(column.offsets, values)
                where = pa.array(column.present)
                arrays[name] = pa.compute.if_else(where, joined, pa.scalar(None, joined.type))
                continue
            scalar = self.column(name)
            kind = pa.type_for_alias("string" if type_ == "string" else "float64")
            array = pa.array(scalar.values, type=kind, mask=~scalar.present, from_pandas=False)
            arrays[name] = array.cast(type_) if type_ in ("int64", "bool") else array
        return pd.DataFrame(
            {name: pd.arrays.ArrowExtensionArray(array) for name, array in arrays.items()}
        )


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
