"""Any bytes give a run or one clear line; a cut log never says what the whole does not."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runlog.errors import UserError
from runlog.importers import read_log
from runlog.run import Run

NUMBERS = st.one_of(
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.6f}"),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.4f}"),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.floats(-1, 1).map(lambda x: f"{x:.3e}"),
    st.integers(-(10**9), 10**9).map(lambda x: f"{x:,}"),
    st.sampled_from(["nan", "inf", "-inf", "-0.0000", "None"]),
)
NOISE = st.sampled_from(
    [
        "",
        "UserWarning: slow\n",
        "\r 50%|█████     | 5/10 [00:05<00:05,  1.0s/it]",
        "Traceback (most recent call last):\n",
        "ValueError: bad\n",
        "  Success rate: 0.5\n",
        "\x1b[31mred\x1b[0m\n",
    ]
)


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """One block of the guide's output, whole or in parts."""
    n = lambda: draw(NUMBERS)  # noqa: E731
    iteration = draw(st.integers(1, 300))
    lines = [
        f"Iteration {iteration} | Timesteps {iteration * 2048:,}",
        f"  Avg episode reward: {n()}",
        f"  Min/Max reward: {n()} / {n()}",
        f"  Advantages - mean: {n()}, std: {n()}  ← said",
        f"  Returns - mean: {n()}, std: {n()}",
        f"  KL divergence: {n()}",
        f"  Line search: {draw(st.sampled_from(['✓ Success', '✗ Failed', '? Failed']))}",
        "",
        "  [DEBUG]",
        f"    Advantages range: [{n()}, {n()}]",
        f"    Ratio: mean={n()}, std={n()}",
        f"    Gradient norm: {n()}",
        f"    Expected improvement: {n()}",
    ]
    kept = [lines[0], *(line for line in lines[1:] if draw(st.integers(0, 9)) > 0)]
    return draw(NOISE) + "\n".join(kept) + "\n"


def cells(run: Run) -> dict[tuple[int, str], str]:
    """Every value of every row the log holds, over all attempts, in the order printed."""
    found = {}
    row = 0
    for chunk in run.chunks:
        for name in chunk.types:  # lists grow while their block does
            if chunk.types[name].startswith("list"):
                continue
            column = chunk.column(name)
            for i in np.flatnonzero(column.present):
                found[row + int(i), name] = repr(column.values[i])
        row += chunk.rows
    return found


@given(st.lists(blocks(), min_size=1, max_size=3), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_prefix_of_a_log_says_what_the_whole_does_not(parts, encoding):
    data = "".join(parts).encode(encoding, "replace")
    whole = cells(read_log(data, name="log"))
    step = max(1, len(data) // 50)
    for end in [*range(0, len(data), step), *range(max(0, len(data) - 25), len(data))]:
        try:
            run = read_log(data[:end], name="log")
        except UserError:
            continue
        assert cells(run).items() <= whole.items(), data[:end][-80:]


def consistent(run: Run) -> None:
    for name in run.types:
        assert len(run.column(name)) == len(run)
    run.to_pandas()


MAPPING = {"loss": "policy_loss", "epoch": "iteration"}


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=400).map(lambda t: t.encode("utf-8", "surrogatepass")),
        st.lists(
            st.sampled_from(
                [
                    b"Iteration ", b"99999999999999999999", b"KL divergence: ", b"nan", b"1e9999",
                    b"\n", b"\r", b", ", b"Ratio: mean=", b"std=", b"{", b'{"kl": 1}', b"[" * 40,
                    b"iteration,kl\n", b"1,2\n", b'"', b"loss: ", b"epoch=", b"7", b"-", b".5",
                    b"Traceback (most recent call last):\n", b"\xff\xfe", b"\x00", b"\xe2\x9c",
                    b"Gradient norm: ", b"0.5\n", b"Line search: ", b"Failed\n", b"\x1b[", b" | ",
                ]
            ),
            max_size=60,
        ).map(b"".join),
    ),
    st.sampled_from([None, MAPPING]),
)  # fmt: skip
@settings(max_examples=250, deadline=None)
def test_any_bytes_are_a_run_or_one_clear_line(data, mapping):
    try:
        run = read_log(data, name="any", mapping=mapping)
    except UserError as refused:
        said = str(refused)
    else:
        said = ""
        assert len(run) > 0
        consistent(run)
    assert said.isprintable()


HOSTILE = (
    b"a" * 50, b"a ", b"Error ", b"Iteration 1 ", b"mean=", b"\x1b[", b"[[", b"x: ", b"Policy loss",
    b"{", b"\xe2", b"1,000,", b"\n", b"\r", b"\x00",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("before", [b"", b"Traceback (most recent call last):\n"])
def test_a_log_is_still_read_after_a_flood_of_one_word(piece, before):
    flood = before + piece * (200_000 // len(piece))
    run = read_log(flood + b"\nKL divergence: 0.5\nEntropy: 1.0\n", name="any", mapping=MAPPING)
    assert run.column("kl").values.tolist() == [0.5]
