"""Parquet files that stay open while many columns are read from them.

Opening a file costs as much as reading five of its columns.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow.parquet as pq


class _Kept(threading.local):
    """What this thread keeps open: the footer a file was opened with → that and the file."""

    def __init__(self) -> None:
        self.files: dict[int, tuple[Any, pq.ParquetFile]] | None = None
        self.stack = ExitStack()


_kept = _Kept()


@contextmanager
def files_kept_open() -> Iterator[None]:
    """Until the outermost such block of this thread ends, a file is opened once only."""
    if _kept.files is not None:
        yield
        return
    with ExitStack() as stack:
        _kept.files, _kept.stack = {}, stack
        try:
            yield
        finally:
            _kept.files = None


@contextmanager
def opened(footer: Any, open_file: "Callable[[], pq.ParquetFile]") -> "Iterator[pq.ParquetFile]":
    """The file with that footer (its Parquet metadata): the one that is kept, or a new one."""
    if _kept.files is None:
        with open_file() as file:
            yield file
        return
    kept = _kept.files.get(id(footer))
    if kept is None:
        kept = _kept.files[id(footer)] = (footer, _kept.stack.enter_context(open_file()))
    yield kept[1]
