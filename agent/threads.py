"""How many threads the arithmetic may use: torch's, and those of the BLAS numpy was built with."""

import ctypes
from collections.abc import Callable

import numpy.linalg._umath_linalg as linked_to_blas
import torch


def use_threads(threads: int) -> None:
    """Let every matrix product use that many threads.

    One is the default: products this small gain little from a second one, lose a hundredfold when
    something else wants its core, and may round differently. Where numpy was built with another BLAS
    than its wheels bring, that one's environment variable decides (MKL_NUM_THREADS and the like).
    """
    torch.set_num_threads(threads)
    set_threads = _exported("set")
    if set_threads is not None:
        set_threads(threads)


def blas_threads() -> int | None:
    """Threads of numpy's own matrix products; None where its BLAS does not tell."""
    get_threads = _exported("get")
    return None if get_threads is None else int(get_threads())


def _exported(verb: str) -> Callable[..., int] | None:
    """OpenBLAS' own function of that name, as numpy's wheels export it."""
    try:
        library = ctypes.CDLL(linked_to_blas.__file__)
    except OSError:
        return None
    return getattr(library, f"scipy_openblas_{verb}_num_threads64_", None)
