"""Scalars in TensorBoard's events: protobuf messages read field by field, nothing else of them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf's wire types

# Numbers of the fields, from TensorFlow's event.proto, summary.proto and tensor.proto.
_EVENT_TIME, _EVENT_STEP, _EVENT_SUMMARY = 1, 2, 5
_SUMMARY_VALUE = 1
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR = 1, 2, 8
_TENSOR_TYPE, _TENSOR_CONTENT = 1, 4
_TENSOR_LISTS = {5: "<f4", 6: "<f8"}
"""Fields that hold a tensor's numbers one by one: of floats, of doubles."""
_TENSOR_INTEGERS = (7, 10)
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
"""TensorFlow's types that a scalar in `tensor_content` may have."""


class MessageError(ValueError):
    """Bytes that are no protobuf message of the kind expected."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number. `time`: Unix seconds. `step`: what the trainer counts by. `single`: it was
    stored in single precision."""

    time: float
    step: int
    tag: str
    value: float
    single: bool


def scalars_of(record: memoryview) -> Iterator[Scalar]:
    """Every scalar of one event. Raises MessageError where the bytes are none."""
    time, step, summaries = float("nan"), 0, []
    for number, value in _fields(record):
        if number == _EVENT_TIME and isinstance(value, float):
            time = value
        elif number == _EVENT_STEP and isinstance(value, int):
            step = value - (1 << 64) if value >> 63 else value
        elif number == _EVENT_SUMMARY and isinstance(value, memoryview):
            summaries.append(value)
    for summary in summaries:
        for number, value in _fields(summary):
            if number == _SUMMARY_VALUE and isinstance(value, memoryview):
                yield from _scalar(value, time, step)


def _scalar(message: memoryview, time: float, step: int) -> Iterator[Scalar]:
    tag, found = "", None
    for number, value in _fields(message):
        if number == _VALUE_TAG and isinstance(value, memoryview):
            tag = bytes(value).decode("utf-8", "replace")
        elif number == _VALUE_SIMPLE and isinstance(value, float):
            found = value, True
        elif number == _VALUE_TENSOR and isinstance(value, memoryview):
            found = _number(value)
    if found is not None:
        yield Scalar(time, step, tag, *found)


def _number(tensor: memoryview) -> tuple[float, bool] | None:
    """The number of a tensor that holds one, and whether in single precision; else None."""
    type_, numbers = 0, list[float]()
    content = None
    for number, value in _fields(tensor):
        if number == _TENSOR_TYPE and isinstance(value, int):
            type_ = value
        elif number == _TENSOR_CONTENT and isinstance(value, memoryview):
            content = value
        elif number in _TENSOR_LISTS:
            numbers += _listed(value, _TENSOR_LISTS[number])
        elif number in _TENSOR_INTEGERS:
            numbers += _integers(value)
    kind = _TYPES.get(type_)
    if kind is None:
        return None
    if content:
        numbers += _listed(content, kind)
    return (numbers[0], kind in ("<f4", "<f2")) if len(numbers) == 1 else None


def _listed(value: int | float | memoryview, kind: str) -> list[float]:
    if not isinstance(value, memoryview):
        return [float(value)]
    if len(value) % np.dtype(kind).itemsize:
        raise MessageError
    return [float(number) for number in np.frombuffer(value, dtype=kind, count=-1)]


def _integers(value: int | float | memoryview) -> list[float]:
    if not isinstance(value, memoryview):
        return [float(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(float(number - (1 << 64) if number >> 63 else number))
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
    raise MessageError


def _fields(message: memoryview) -> Iterator[tuple[int, int | float | memoryview]]:
    """Number and value of each field: an integer, a float (4 or 8 bytes), or bytes."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise MessageError
        if at + length > end:
            raise MessageError
        piece = message[at : at + length]
        at += length
        if wire == _BYTES:
            yield key >> 3, piece
        else:
            yield key >> 3, (_DOUBLE if wire == _FIXED64 else _FLOAT).unpack(piece)[0]
