"""Memory of long runs: arrays of megabytes, made and dropped by the hundred."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt, from glibc's malloc.h."""
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
"""glibc refuses larger ones on 64-bit machines."""


def keep_freed_memory() -> None:
    """Let malloc hand freed arrays out again instead of giving each back to the system.

    A fresh page costs more than what is computed on it: judging a million rows takes two thirds of
    the time. Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
