"""The scalars of TensorBoard's event files by tag, in the order they were written."""

import struct
from array import array
from dataclasses import dataclass, field

from runlog.importers.event_records import EventRecords
from runlog.importers.events import MessageError, scalars_of

_TIME = struct.Struct("<d")
_NUMBER = struct.Struct("<f")
_OTHER = b"\x00\x00\xc0\x3f"  # 1.5 in single precision


@dataclass(slots=True)
class Series:
    """All numbers of one tag. `order`: places among all scalars; `times`: Unix seconds."""

    single: bool
    """Whether they were stored in single precision."""
    order: "array[int]" = field(default_factory=lambda: array("q"))
    steps: "array[int]" = field(default_factory=lambda: array("q"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.values)


class EventSeries:
    """Reads one or several event files, fed in the order of their time."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}
        self.count = 0
        self._records: dict[str, EventRecords] = {}
        self._alike: dict[bytes, Series] = {}
        """Most events differ in time, step and the number at their end only: what is between."""

    @property
    def damaged(self) -> int:
        """Records that are none; they were left out."""
        return sum(records.damaged for records in self._records.values())

    @property
    def stuck(self) -> tuple[str, ...]:
        """Files in which a damaged length hides all that follows."""
        return tuple(name for name, records in self._records.items() if records.stuck)

    def feed(self, name: str, piece: bytes) -> int | None:
        """More bytes of the file of that name; where to read again if nothing behind can be found."""
        records = self._records.setdefault(name, EventRecords())
        for raw in records.feed(piece):
            step, at = _head(raw)
            series = self._alike.get(raw[at : -_NUMBER.size])
            if at and series is not None:
                time, value = _TIME.unpack_from(raw, 1)[0], _NUMBER.unpack_from(raw, len(raw) - 4)
                self._put(series, time, step, value[0])
            elif not self._read(raw, at):
                records.damaged += 1
        return records.taken if records.stuck else None

    def _put(self, series: Series, time: float, step: int, value: float) -> None:
        series.order.append(self.count)
        series.steps.append(step)
        series.times.append(time)
        series.values.append(value)
        self.count += 1

    def _read(self, raw: bytes, at: int) -> bool:
        """Take the scalars of any event; False where it is none."""
        try:
            found = list(scalars_of(memoryview(raw)))
        except MessageError:
            return False
        for scalar in found:
            series = self.series.get(scalar.tag)
            if series is None:
                series = self.series[scalar.tag] = Series(scalar.single)
            self._put(series, scalar.time, scalar.step, scalar.value)
        if at and len(found) == 1 and _ends_with_number(raw):
            self._alike[raw[at : -_NUMBER.size]] = self.series[found[0].tag]
        return True


def _head(raw: bytes) -> tuple[int, int]:
    """The step of an event that begins with its time and its step, and where the rest begins.

    (0, 0) for any other event.
    """
    if len(raw) < 20 or raw[0] != 0x09 or raw[9] != 0x10:
        return 0, 0
    step = shift = 0
    for at in range(10, 18):  # 56 bits: a step below 0 takes the long way
        byte = raw[at]
        step |= (byte & 0x7F) << shift
        if byte < 0x80:
            return step, at + 1
        shift += 7
    return 0, 0


def _ends_with_number(raw: bytes) -> bool:
    """Whether the last four bytes are the event's number: another one there is read back."""
    (scalar,) = scalars_of(memoryview(raw[: -_NUMBER.size] + _OTHER))
    return scalar.value == 1.5 and raw[-5] == 0x15
