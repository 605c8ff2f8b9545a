"""A large run.parquet on another machine: only the bytes are fetched that its columns need."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runlog.chunk import ParquetChunk
from runlog.errors import UserError
from runlog.parts import open_parquet
from runlog.remote_connection import Connection, patiently
from runlog.remote_files import Range, read_ranges

if TYPE_CHECKING:
    import pyarrow as pa
    from asyncssh import SFTPClient

BLOCK = 256 * 1024
"""Bytes fetched at once: columns lie side by side, and the next one is often asked for too."""
_TAIL = 8
"""The last bytes of a Parquet file: the size of its footer, and its mark."""


class RangedFile:
    """A file of the same size here, in which only the blocks are filled that were asked for."""

    def __init__(self, connection: Connection, remote: str, path: Path, size: int) -> None:
        self._connection, self._remote, self._path, self._size = connection, remote, path, size
        self._have: set[int] = set()

    async def begin(self, sftp: "SFTPClient") -> None:
        """Make the file, its footer in place."""
        with self._path.open("wb") as file:
            file.truncate(self._size)
        await self._fill(sftp, [Range(max(0, self._size - BLOCK), BLOCK)])
        with self._path.open("rb") as file:
            file.seek(self._size - _TAIL)
            footer = int.from_bytes(file.read(4), "little") + _TAIL
        start = max(0, self._size - footer)
        await self._fill(sftp, [Range(start, self._size - start)])

    def need(self, ranges: Iterable[Range]) -> None:
        """See to it that these bytes are here; waits for a line that is cut."""
        wanted = list(ranges)
        if self._missing(wanted):
            patiently(lambda: self._connection.call(lambda sftp: self._fill(sftp, wanted)))

    def column(self, name: str) -> None:
        """See to it that a column is here."""
        with open_parquet(self._path) as file:
            self.need(_ranges_of(file.metadata, name))

    def _missing(self, ranges: Iterable[Range]) -> list[int]:
        blocks = {
            block
            for range_ in ranges
            if range_.size > 0
            for block in range(range_.start // BLOCK, (range_.start + range_.size - 1) // BLOCK + 1)
            if block * BLOCK < self._size
        }
        return sorted(blocks - self._have)

    async def _fill(self, sftp: "SFTPClient", ranges: Iterable[Range]) -> None:
        missing = self._missing(ranges)
        starts = [block * BLOCK for block in missing]
        wanted = [Range(start, min(BLOCK, self._size - start)) for start in starts]
        pieces = await read_ranges(sftp, self._remote, wanted, self._connection.heard)
        if pieces is None or any(len(p) != r.size for p, r in zip(pieces, wanted, strict=True)):
            raise UserError(
                f"ssh://{self._connection.who}{self._remote}: has changed while it was read"
            )
        with self._path.open("r+b") as file:
            for range_, piece in zip(wanted, pieces, strict=True):
                file.seek(range_.start)
                file.write(piece)
        self._have.update(missing)


def _ranges_of(metadata: Any, name: str) -> list[Range]:
    """Where the pages of a column lie, in every row group."""
    found = []
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            if column.path_in_schema.partition(".")[0] == name:
                starts = [column.data_page_offset]
                if column.has_dictionary_page:
                    starts.append(column.dictionary_page_offset)
                found.append(Range(min(starts), column.total_compressed_size))
    return found


@dataclass(frozen=True, eq=False)
class RemoteChunk(ParquetChunk):
    """A Parquet file of a copy; keeps the copy from being removed while its rows may be read."""

    shelf: object = None
    ranged: RangedFile | None = None

    def ending(self, name: str) -> NDArray[np.float64]:
        if self.ranged is not None:
            self.ranged.column(self.theirs[name])
        return super().ending(name)

    def read(self, name: str) -> "pa.ChunkedArray":
        if self.ranged is not None:
            self.ranged.column(name)
        return super().read(name)
