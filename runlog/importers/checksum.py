"""CRC-32C, the checksum of TensorBoard's records, of many stretches of bytes at once."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits reversed
_MASK_DELTA = np.uint32(0xA282EAD8)


@cache
def _table() -> NDArray[np.uint32]:
    """(256,) what each value of the lowest byte adds to the remainder, shifted out."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        odd = (table & 1).astype(bool)
        table = np.where(odd, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


def masked_crcs(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """(n,) masked CRC-32C of the n stretches `data[start:start + length]`.

    Masked as a record holds it: rotated right by 15 bits, plus a constant. One step of the loop
    takes the next byte of every stretch that has one, so many short ones cost no more than one.
    """
    table = _table()
    order = np.argsort(-lengths, kind="stable")
    at, left = starts[order], -lengths[order]  # ascending: the longest first
    crcs = np.full(len(order), 0xFFFFFFFF, dtype=np.uint32)
    for i in range(int(lengths.max(initial=0))):
        n = int(np.searchsorted(left, -i))  # so many are longer than i
        head = crcs[:n]
        head[:] = table[(head ^ data[at[:n] + i]) & 0xFF] ^ (head >> 8)
    crcs ^= np.uint32(0xFFFFFFFF)
    masked = ((crcs >> np.uint32(15)) | (crcs << np.uint32(17))) + _MASK_DELTA
    result = np.empty_like(masked)
    result[order] = masked
    return result
