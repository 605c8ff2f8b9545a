"""Consecutive rows of a run in one place, and those that are held in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from runlog.column import Column, ListColumn
from runlog.schema import BY_NAME, Type


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
            if types.keys() >= record.keys():
                continue
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
