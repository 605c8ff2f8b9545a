"""Memory of long runs: arrays of megabytes, made and dropped by the hundred."""

import ctypes
import sys
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt, from glibc's malloc.h."""
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
"""glibc refuses larger ones on 64-bit machines."""


_SMALLEST_LARGE = 2**20
"""From this size on an array is given back to the system as soon as it is dropped."""


def give_freed_memory_back() -> None:
    """Let arrays of a megabyte and more go back to the system when they are dropped.

    glibc otherwise learns to keep them, up to gigabytes. Does nothing where the C library is
    another.
    """
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(_MMAP_THRESHOLD, _SMALLEST_LARGE)


def trim() -> None:
    """Give back what is free now, Arrow's memory too."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if (malloc_trim := _of_glibc("malloc_trim")) is not None:
        malloc_trim(0)


def keep_freed_memory() -> None:
    """Let malloc hand freed arrays out again instead of giving each back to the system.

    A fresh page costs more than what is computed on it: judging a million rows takes two thirds of
    the time. Does nothing where the C library is not glibc.
    """
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def _of_glibc(name: str) -> Any:
    """A function of the C library, None where it has none of that name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
