"""The records of the write-ahead log: one a line, eight hex digits of CRC-32, a blank, JSON."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FORMAT = 1
"""Version of the format on disk."""
EndState = Literal["finished", "stopped", "crashed"]
Record = Mapping[str, Any]

# The standard library's JSON keeps NaN and ±Infinity exactly; faster ones turn them into null.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def header(*, run_id: str, first_row: int) -> Record:
    """First record of a segment: whose it is and the number of its first row."""
    return {"kind": "header", "format": FORMAT, "run_id": run_id, "first_row": first_row}


def iteration(*, row: int, values: Mapping[str, Any]) -> Record:
    """One row; `row` counts all rows ever appended from 0, null columns are left out."""
    return {"kind": "iteration", "row": row, "values": values}


def event(*, row: int, time: float, event: str, text: str) -> Record:
    """Something that happened before row `row` was appended; `time` in Unix seconds."""
    return {"kind": "event", "row": row, "time": time, "event": event, "text": text}


def end(*, row: int, time: float, state: EndState, reason: str | None) -> Record:
    """The writer's last word; whatever is appended after it supersedes it."""
    return {"kind": "end", "row": row, "time": time, "state": state, "reason": reason}


def frame(record: Record) -> bytes:
    """The record as a line, with its checksum and its line end."""
    return _line(_encode(record))


def frame_row(*, row: int, values: str) -> bytes:
    """The line of an iteration whose values are JSON text already."""
    return _line(f'{{"kind":"iteration","row":{row},"values":{values}}}')


def _line(text: str) -> bytes:
    data = text.encode("ascii")
    return b"%08x %b\n" % (zlib.crc32(data), data)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a stretch of a segment holds.

    `records`: in order. `size`: bytes of the valid prefix. `unknown`: valid records skipped
    because they are of a kind this reader does not know.
    """

    records: tuple[dict[str, Any], ...]
    size: int
    unknown: int


def scan(data: bytes) -> Scan:
    """Records up to the first line that is incomplete or whose checksum does not hold."""
    records: list[dict[str, Any]] = []
    start = unknown = 0
    while (stop := data.find(b"\n", start)) >= 0:
        text = data[start + 9 : stop]
        if data[start : start + 9] != b"%08x " % zlib.crc32(text):
            break
        record = _parse(text)
        if record is None:
            unknown += 1
        else:
            records.append(record)
        start = stop + 1
    return Scan(tuple(records), start, unknown)


_FIELDS: Mapping[str, tuple[tuple[str, type | tuple[type, ...]], ...]] = {
    "header": (("first_row", int),),
    "iteration": (("row", int), ("values", dict)),
    "event": (("row", int), ("time", (int, float)), ("event", str), ("text", str)),
    "end": (("row", int), ("time", (int, float)), ("state", str)),
}


def _parse(text: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(text)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("kind") not in _FIELDS:
        return None
    fields = _FIELDS[record["kind"]]
    return record if all(isinstance(record.get(name), kind) for name, kind in fields) else None
