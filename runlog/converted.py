"""What `convert` wrote, read back: the run as it was, with its resolutions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runlog.chunk import ParquetChunk
from runlog.column import Column, ListColumn
from runlog.convert import RESOLUTION
from runlog.errors import UserError
from runlog.parts import Footer
from runlog.run import Event, ImportInfo, Run, State
from runlog.schema import Type


@dataclass(frozen=True, eq=False)
class ConvertedChunk:
    """The rows of a converted file. `precise`: columns with a resolution beside them."""

    inner: ParquetChunk
    precise: frozenset[str]

    @property
    def rows(self) -> int:
        return self.inner.rows

    @property
    def types(self) -> Mapping[str, Type]:
        return self.inner.types

    def column(self, name: str) -> Column:
        column = self.inner.column(name)
        if name not in self.precise:
            return column
        return replace(column, resolution=self.inner.beside(RESOLUTION + name))

    def lists(self, name: str) -> ListColumn:
        return self.inner.lists(name)


def converted_run(
    chunk: ParquetChunk, footer: Footer, told: Mapping[str, Any], *, attempt: int | None = None
) -> Run:
    """The run that a converted file holds: the attempt that was shown when it was written.

    `footer`: the file's. `told`: what it says of the conversion.
    """
    if attempt not in (None, told["attempt"]):
        raise UserError(
            f"--attempt {attempt}: {chunk.path} was converted from attempt {told['attempt']} alone"
        )
    return Run(
        chunks=(ConvertedChunk(chunk, frozenset(told["resolutions"])),),
        metadata=footer.metadata,
        events=tuple(
            Event(row=e["row"], time=e["time"], kind=e["event"], text=e["text"])
            for e in footer.events
        ),
        state=State(**told["state"]),
        attempts=told["attempts"],
        attempt=told["attempt"],
        source=None if told["source"] is None else _source(told["source"]),
        notes=tuple(told["notes"]),
    )


def _source(told: Mapping[str, Any]) -> ImportInfo:
    return ImportInfo(
        format=told["format"],
        attempts=told["attempts"],
        understood=tuple(told["understood"]),
        not_understood=tuple(told["not_understood"]),
        assumptions=tuple(told["assumptions"]),
    )
