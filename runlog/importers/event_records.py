"""The records of a TensorBoard event file: a length, its checksum, the data, its checksum."""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from runlog.importers.checksum import masked_crcs

_HEADER = struct.Struct("<QI")
_FOOTER = 4
_LONGEST = 1 << 30
"""Bytes; a record said to be longer is a damaged length."""
_CHECKED = 4096
"""Bytes up to which a record's data is checked: scalars are short, and pictures not read."""


def is_event_file(head: bytes) -> bool:
    """Whether bytes begin with the header of a record."""
    if len(head) < _HEADER.size:
        return False
    length, crc = _HEADER.unpack_from(head)
    return bool(0 < length < _LONGEST and crc == _crc_of_length(head))


def _crc_of_length(head: bytes) -> int:
    bytes_ = np.frombuffer(head, dtype=np.uint8, count=8)
    return int(masked_crcs(bytes_, np.array([0]), np.array([8]))[0])


class EventRecords:
    """Cuts the bytes of one event file, which come in pieces, into the data of its records.

    A record that is not complete waits. One whose data do not have their checksum is left out
    and counted in `damaged`. Behind a length without its checksum nothing can be found: reading
    is `stuck` there. A file half written on a network can look so: the next bytes to feed then are
    those from `taken` on, the end of the last record, read again.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.stuck = False
        self.taken = 0
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The records completed by these bytes."""
        data = self._rest + piece if self._rest else piece
        headers: list[int] = []  # where each record begins
        found: list[int] = []  # the length of each that is complete
        at, end = 0, len(data)
        while at + _HEADER.size + _FOOTER <= end:
            (length,) = struct.unpack_from("<Q", data, at)
            after = at + _HEADER.size + length + _FOOTER
            if after > end:
                break
            headers.append(at)
            found.append(length)
            at = after
        if at + _HEADER.size <= end:
            headers.append(at)  # of the record that waits
        whole = np.frombuffer(data, dtype=np.uint8)
        heads = np.array(headers, dtype=np.int64)
        lengths = np.array(found, dtype=np.int64)
        sound = masked_crcs(whole, heads, np.full(len(heads), 8)) == _stored(whole, heads + 8)
        self.stuck = not bool(sound.all())
        good = len(sound) if not self.stuck else int(np.argmin(sound))
        n = min(good, len(lengths))
        self.taken += headers[good] if self.stuck else at
        self._rest = b"" if self.stuck else data[at:]
        begins, lengths = heads[:n] + _HEADER.size, lengths[:n]
        intact = np.ones(n, dtype=bool)
        short = np.flatnonzero(lengths <= _CHECKED)
        crcs = masked_crcs(whole, begins[short], lengths[short])
        intact[short] = crcs == _stored(whole, begins[short] + lengths[short])
        self.damaged += int(n - intact.sum())
        for begin, length in zip(begins[intact].tolist(), lengths[intact].tolist(), strict=True):
            yield data[begin : begin + length]


def _stored(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint32]:
    """(n,) the little-endian words that stand at those places."""
    words = data[at[:, None] + np.arange(4)]  # (n, 4)
    return np.ascontiguousarray(words).view("<u4").reshape(len(at))
