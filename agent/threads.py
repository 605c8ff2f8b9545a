"""How many threads the arithmetic may use: torch's, and those of the BLAS numpy was built with."""

import contextlib
import ctypes

import numpy.linalg._umath_linalg as numpy_blas
import torch

SETTERS = ("scipy_openblas_set_num_threads64_", "scipy_openblas_set_num_threads")
"""Names under which numpy's wheels export OpenBLAS' own setting."""


def use_threads(threads: int) -> None:
    """Let every matrix product use that many threads.

    One is the default: products this small gain little from a second one, lose a hundredfold when
    something else wants its core, and may round differently. Where numpy brings another BLAS its
    environment variable decides (OMP_NUM_THREADS, VECLIB_MAXIMUM_THREADS).
    """
    torch.set_num_threads(threads)
    with contextlib.suppress(OSError):
        library = ctypes.CDLL(numpy_blas.__file__)
        for name in SETTERS:
            setter = getattr(library, name, None)
            if setter is not None:
                setter(threads)
