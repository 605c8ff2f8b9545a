"""Real logs of every format, cut, shuffled, repeated, with bytes flipped: a run or one clear line."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_samples import SAMPLES

from runlog.errors import UserError
from runlog.importers import NAMES, read_log
from runlog.run import Run

LOGS = Path(__file__).resolve().parent / "foreign_logs"
REAL = {
    str(path.parent.relative_to(LOGS)): path.read_bytes()[:12_000]
    for path in sorted(LOGS.glob("**/stdout.txt"))
} | {name: text.encode() for name, text in SAMPLES.items()}


ACCIDENTS = ("cut", "swap", "repeat", "flip", "join", "drop")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One log, or two of them, after a few accidents."""
    pick = random.Random(draw(st.integers(0, 2**32)))
    data = REAL[draw(st.sampled_from(sorted(REAL)))]
    for accident in draw(st.lists(st.sampled_from(ACCIDENTS), max_size=4)):
        lines = data.splitlines(keepends=True) or [b""]
        at, to = sorted((pick.randrange(len(lines)), pick.randrange(len(lines))))
        if accident == "cut":
            data = data[pick.randrange(len(data) + 1) :][: pick.randrange(1, 20_000)]
        elif accident == "swap":
            pick.shuffle(lines)
            data = b"".join(lines)
        elif accident == "repeat":
            data = b"".join(lines[:to] + lines[at:to] * 2 + lines[to:])
        elif accident == "drop":
            data = b"".join(lines[:at] + lines[to:])
        elif accident == "join":
            data += REAL[pick.choice(sorted(REAL))]
        elif data:
            flipped = bytearray(data)
            for _ in range(pick.randrange(1, 30)):
                flipped[pick.randrange(len(flipped))] = pick.randrange(256)
            data = bytes(flipped)
    return data


@given(mutated(), st.sampled_from((None, None, None, *NAMES)))
@settings(max_examples=60, deadline=None)
def test_a_damaged_log_is_a_run_or_one_clear_line(data: bytes, wanted: str | None) -> None:
    try:
        run = read_log(data, name="any", from_format=wanted)
    except UserError as refused:
        said = str(refused)
    else:
        said = ""
        consistent(run)
    assert said.isprintable()


def consistent(run: Run) -> None:
    assert len(run) > 0
    for name, type_ in run.types.items():
        column = run.lists(name) if type_.startswith("list") else run.column(name)
        assert len(column.present) == len(run)
    run.to_pandas()


PIECES = (
    b"| ", b"- ", b"-" * 50 + b" ", b"a=", b"= | ", b"\xe2\x94\x82", b"0 ", b"1 1 1 ", b"Expected: ",
    b"key 1 ", b"rollout/", b"...", b"| x | 1 ", b"a/e/r ", b"epoch #0 | ", b"Updates 1, ", b"'",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_box_is_still_read_after_a_flood(piece: bytes, end: bytes) -> None:
    flood = (piece + end) * (60_000 // len(piece + end))
    box = b"\n| EpRewMean | 5 |\n| meankl | 0.5 |\n| surrgain | 0.25 |\n| TimestepsSoFar | 10 |\n"
    run = read_log(flood + box, name="any")
    assert run.column("kl").values[-1] == 0.5
