"""CRC-framed records: what is written is read, and nothing after the first damaged byte is."""

import json
import math
import zlib

from runlog.records import end, event, frame, header, iteration, scan

ROWS = [iteration(row=i, values={"iteration": i + 1, "kl": i / 7}) for i in range(3)]


def test_a_line_is_eight_hex_digits_of_crc_a_blank_and_json():
    line = frame(header(run_id="r", first_row=7))
    text = b'{"kind":"header","format":1,"run_id":"r","first_row":7}'
    assert line == f"{zlib.crc32(text):08x} ".encode() + text + b"\n"


def test_the_four_kinds_are_read_as_written():
    written = [
        header(run_id="r", first_row=0),
        *ROWS,
        event(row=3, time=1.5, event="checkpoint", text="ü"),
        end(row=3, time=2.5, state="crashed", reason="ValueError: x"),
    ]
    data = b"".join(frame(record) for record in written)
    found = scan(data)
    assert list(found.records) == written
    assert (found.size, found.unknown) == (len(data), 0)


def test_nan_infinities_negative_zero_and_every_bit_survive():
    values = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": -0.0, "e": 0.1 + 0.2, "f": 5e-324}
    read = scan(frame(iteration(row=0, values=values))).records[0]["values"]
    assert {name: repr(value) for name, value in read.items()} == {
        name: repr(value) for name, value in values.items()
    }


def test_a_last_record_cut_at_any_byte_leaves_those_before_it():
    whole = b"".join(frame(row) for row in ROWS[:2])
    last = frame(ROWS[2])
    for cut in range(len(last)):
        found = scan(whole + last[:cut])
        assert (list(found.records), found.size) == (ROWS[:2], len(whole)), cut


def test_a_flipped_bit_stops_the_reading_where_it_is():
    lines = [bytearray(frame(row)) for row in ROWS]
    for byte in range(len(lines[1]) - 1):
        damaged = [bytes(lines[0]), bytearray(lines[1]), bytes(lines[2])]
        damaged[1][byte] ^= 1
        assert len(scan(b"".join(damaged)).records) == 1, byte


def test_a_zero_filled_tail_is_no_record():
    data = frame(ROWS[0])
    assert scan(data + bytes(4096)).size == len(data)
    assert scan(data + bytes(4096) + b"\n" + frame(ROWS[1])).size == len(data)


def test_a_valid_record_of_unknown_kind_is_skipped_and_counted():
    strange = json.dumps({"kind": "gradient-histogram", "row": 1}).encode()
    line = b"%08x %b\n" % (zlib.crc32(strange), strange)
    found = scan(frame(ROWS[0]) + line + frame(ROWS[1]))
    assert (list(found.records), found.unknown) == (ROWS[:2], 1)
