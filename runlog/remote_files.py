"""Files on another machine, over SFTP: what they are, what is in them, in few round trips."""

import asyncio
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from asyncssh import SFTPAttrs, SFTPClient

PIECE = 1 << 20
"""Bytes asked for at once; asyncssh cuts them into requests that run side by side."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a path. `mtime`: whole seconds, by that machine's clock."""

    kind: Literal["file", "folder", "other"]
    size: int
    mtime: int


async def look(sftp: "SFTPClient", path: str) -> Found | None:
    """What lies at a path, None where nothing does. One round trip."""
    import asyncssh

    try:
        return _found(await sftp.stat(path))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory):
        return None


def _found(attributes: "SFTPAttrs") -> Found:
    mode = attributes.permissions or 0
    kind: Literal["file", "folder", "other"] = "other"
    if stat.S_ISREG(mode):
        kind = "file"
    elif stat.S_ISDIR(mode):
        kind = "folder"
    return Found(kind, attributes.size or 0, attributes.mtime or 0)


async def names(sftp: "SFTPClient", folder: str) -> dict[str, Found]:
    """What a folder holds, links not followed; empty where there is none."""
    import asyncssh

    try:
        entries = await sftp.readdir(folder)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory):
        return {}
    return {
        str(entry.filename): _found(entry.attrs)
        for entry in entries
        if entry.filename not in (".", "..")
    }


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of a file: `size` of them from `start` on."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Peek:
    """A file just looked at and, where that was wanted, its ranges."""

    found: Found
    pieces: tuple[bytes, ...] = ()


async def peek(
    sftp: "SFTPClient",
    path: str,
    wanted: Callable[[Found], Sequence[Range]],
    heard: Callable[[], None],
) -> Peek | None:
    """Look at a file and read what `wanted` says of it then; None where there is none.

    One round trip when nothing is wanted, two when little is. The file is opened anew each time,
    before it is looked at: a network file system over there then shows what has been written.
    """
    import asyncssh

    opening = asyncio.ensure_future(sftp.open(path, "rb"))
    looking = asyncio.ensure_future(sftp.stat(path))
    try:
        opened, looked = await asyncio.gather(opening, looking, return_exceptions=True)
        for answer in (opened, looked):
            if isinstance(answer, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
                return None
            if isinstance(answer, BaseException):
                raise answer
        assert not isinstance(opened, BaseException)  # noqa: S101  raised above
        assert not isinstance(looked, BaseException)  # noqa: S101
        heard()
        found = _found(looked)
        ranges = wanted(found)
        pieces = await asyncio.gather(*(_read(opened, range_, heard) for range_ in ranges))
        return Peek(found, tuple(pieces))
    finally:
        if opening.done() and not opening.cancelled() and opening.exception() is None:
            _close_later(opening.result())


async def read_ranges(
    sftp: "SFTPClient", path: str, ranges: Sequence[Range], heard: Callable[[], None]
) -> tuple[bytes, ...] | None:
    """Those bytes of a file; None where there is no file."""
    peeked = await peek(sftp, path, lambda _: ranges, heard)
    return None if peeked is None else peeked.pieces


async def whole(sftp: "SFTPClient", path: str, heard: Callable[[], None]) -> Peek | None:
    """A file with all its bytes; None where there is none."""
    return await peek(sftp, path, lambda found: [Range(0, found.size)], heard)


async def _read(file: object, range_: Range, heard: Callable[[], None]) -> bytes:
    read = file.read  # type: ignore[attr-defined]  # asyncssh.SFTPClientFile
    pieces: list[bytes] = []
    have = 0
    while have < range_.size:
        piece: bytes = await read(min(PIECE, range_.size - have), range_.start + have)
        heard()
        if not piece:
            break
        pieces.append(piece)
        have += len(piece)
    return b"".join(pieces)


_CLOSING: set["asyncio.Task[None]"] = set()


def _close_later(file: object) -> None:
    """Close a file without waiting for the answer, which is read with the next one."""

    async def close() -> None:
        import asyncssh

        with suppress(asyncssh.Error, OSError, ValueError):  # the line is cut: nothing is open
            await file.close()  # type: ignore[attr-defined]  # asyncssh.SFTPClientFile

    task = asyncio.ensure_future(close())
    _CLOSING.add(task)
    task.add_done_callback(_CLOSING.discard)
