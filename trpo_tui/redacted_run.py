"""A run as it may be published: the same numbers, every text cut by a redactor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from runlog.column import Column, ListColumn
from runlog.rows import Chunk
from runlog.run import Event, ImportInfo, Run
from runlog.schema import BY_NAME, Type
from trpo_tui.redaction import Redactor, leaves


@dataclass(frozen=True, eq=False)
class RedactedChunk:
    """The rows of a chunk, its undeclared names and its texts cut."""

    inner: Chunk
    redactor: Redactor

    @property
    def rows(self) -> int:
        return self.inner.rows

    @property
    def types(self) -> Mapping[str, Type]:
        return {name: self.inner.types[theirs] for name, theirs in self._theirs.items()}

    @cached_property
    def _theirs(self) -> Mapping[str, str]:
        """Our name of each column to the chunk's."""
        names: dict[str, str] = {}
        for name, type_ in self.inner.types.items():
            if type_ != "string" and self.redactor.cuts_numbers(name):
                continue
            cut = name if name in BY_NAME else self.redactor.text(name)
            names[cut if cut not in names else f"{cut}_{len(names)}"] = name
        return names

    def column(self, name: str) -> Column:
        theirs = self._theirs[name]
        column = self.inner.column(theirs)
        if self.types[name] != "string":
            return column
        cells = {cell: self.redactor.value(theirs, cell) for cell in {*column.values.tolist()}}
        values = np.array([cells[cell] for cell in column.values.tolist()], dtype=object)
        return replace(column, values=values)

    def lists(self, name: str) -> ListColumn:
        return self.inner.lists(self._theirs[name])


def texts_of(run: Run) -> Iterator[str]:
    """Every text of a run in which a name may stand."""
    for _, text in (*leaves(run.metadata), *leaves(run.records or ())):
        yield text
    yield from (event.text for event in run.events)
    yield from run.notes
    yield run.state.reason or ""
    for chunk in run.chunks:
        for name, type_ in chunk.types.items():
            yield name
            if type_ == "string":
                yield from {cell for cell in chunk.column(name).values.tolist() if cell}
    if run.source is not None:
        yield from (*run.source.not_understood, *run.source.assumptions)


def redacted(run: Run, redactor: Redactor) -> Run:
    """The run with every text cut, those of other attempts too."""
    cut = redactor.text
    return replace(
        run,
        chunks=tuple(RedactedChunk(chunk, redactor) for chunk in run.chunks),
        metadata=redactor.value("", run.metadata),
        events=tuple(_event(event, redactor) for event in run.events if run.records is None),
        records=None if run.records is None else tuple(redactor.value("", r) for r in run.records),
        state=replace(run.state, reason=run.state.reason and cut(run.state.reason)),
        source=None if run.source is None else _source(run.source, redactor),
        notes=tuple(map(cut, run.notes)),
        _cache={},
    )


def _event(event: Event, redactor: Redactor) -> Event:
    return replace(event, kind=redactor.text(event.kind), text=redactor.text(event.text))


def _source(source: ImportInfo, redactor: Redactor) -> ImportInfo:
    return replace(
        source,
        not_understood=tuple(map(redactor.text, source.not_understood)),
        understood=tuple(map(redactor.text, source.understood)),
        assumptions=tuple(map(redactor.text, source.assumptions)),
    )
